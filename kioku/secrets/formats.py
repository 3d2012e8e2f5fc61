"""Credentials that say themselves whose they are: what each issuer's look like.

One row a format: what it is called, the marks of which each has one, and the pattern. A mark is
looked for first, by itself, and only where one stands is the pattern tried; so of the patterns a
process compiles those alone that it meets. Where a pattern begins with its mark it is matched at
the mark; where not, it is searched for (``is_sought``). What follows a loose row's mark is only
known to be long, so it counts if chance has drawn it.

Every pattern is linear in the text: a run without an end stands last, or where nothing that the
run is made of may stand before it. If you add a row, add a sample of it to the corpus
(``bench/secret_samples.py``); a test asks for one of every row.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Final, NamedTuple


class Format(NamedTuple):
    """One issuer's credentials; ``kind`` is what the placeholder and every report calls them."""

    kind: str
    marks: tuple[str, ...]
    pattern: str
    is_sought: bool = False
    is_loose: bool = False


_ALNUM: Final = "[A-Za-z0-9]"
_WORD: Final = "[A-Za-z0-9_-]"
_BEGIN: Final = "(?<![A-Za-z0-9])"
_END: Final = "(?![A-Za-z0-9])"


def _row(kind: str, marks: str, rest: str) -> Format:
    """A format that is one of its marks and then ``rest``."""
    listed = tuple(marks.split())
    return Format(kind, listed, f"(?:{'|'.join(map(re.escape, listed))}){rest}")


# Whose mark says enough: what it is called, its marks, and how much follows at least.
_LOOSE: Final = """
1password token | ops_ | 60
adobe secret | p8e- | 32
aikido token | AIK_CI_ AIK_SECRET_ | 20
apify token | apify_api_ | 36
artifactory token | AKCp cmVmd | 54
asaas token | aact_prod_ | 20
astra token | AstraCS: | 40
bedrock key | bedrock-api-key- | 28
bitbucket token | BBDC- ATBB | 24
buildkite token | bkps_ | 32
canva secret | cnvca | 44
cartesia key | sk_car_ | 20
cerebras key | csk- | 40
clojars token | CLOJARS_ | 50
cloudflare token | cfut_ cfat_ cfk_ | 36
cockroach key | CCDB1_ | 40
crates token | cio | 32
cursor key | key_ crsr_ | 60
deno token | ddp_ ddo_ | 36
devcycle key | dvc_server_ | 20
docker swarm key | SWMTKN-1- SWMKEY-1- | 36
dropbox token | sl.u. sl.B sl.A | 100
duffel token | duffel_live_ duffel_test_ | 40
elastic key | essu_ | 40
facebook token | EAAM EAAC EAAB EAAG | 80
flutterwave key | FLWSECK- FLWSECK_TEST- | 30
frame.io token | fio-u- | 60
gitlab token | GR1348941 | 20
google api key | AQ.Ab8 | 30
grafana token | eyJrIjoi | 40
harness token | sat. | 60
infracost token | ico- | 30
ionic token | ion_ | 40
langfuse key | sk-lf- | 36
llama key | llx- | 48
mailersend token | mlsn. | 60
mapbox token | sk.eyJ | 60
mercury token | mercury_production_ | 40
mergify key | mergify_application_key_ | 40
minimax key | sk-api- | 60
mongodb atlas secret | mdb_sa_sk_ | 36
neon key | napi_ | 50
nylas key | nyk_ | 50
octopus key | API- | 26
onesignal token | os_v2_org_ os_v2_app_ | 80
openshift token | sha256~ | 40
packagist token | packagist_ort_ packagist_out_ packagist_acs_ | 60
paddle key | pdl_live_apikey_ pdl_sdbx_apikey_ | 40
persona key | persona_production_ | 30
pinterest token | pina_ | 24
plaid token | access-sandbox- access-production- access-development- | 36
polar token | polar_at_ polar_oat_ polar_pat_ | 20
postman token | PMAT- | 26
prefect token | pnu_ pnb_ | 36
pulumi token | pul- | 40
ramp secret | ramp_sec_ | 40
readme key | rdme_ | 60
runpod key | rpa_ | 40
samsara token | samsara_api_ | 20
scalingo token | tk-us- | 40
segment token | sgp_ | 40
sendinblue key | xkeysib- | 60
shippo token | shippo_live_ shippo_test_ | 40
together key | tgp_v1_ | 40
twitter token | AAAAAAAAAAAAAAAAAAAAA | 60
typeform token | tfp_ | 40
upcloud token | ucat_ | 26
vercel token | vck_ vca_ vcr_ vci_ vcp_ | 40
voyage key | pa- | 40
wakatime key | waka_ | 36
wandb key | wandb_v1_ | 60
xendit key | xnd_production_ xnd_development_ | 40
yandex token | t1. AQVN | 38
zuplo key | zpka_ | 32
"""


def _loose(row: str) -> Format:
    kind, marks, least = (part.strip() for part in row.split("|"))
    found = _row(kind, marks, rf"[A-Za-z0-9_.=-]{{{least},}}")
    return found._replace(is_loose=True)


FORMATS: Final = (
    # clouds
    _row("aws access key", "AKIA ASIA ABIA ACCA", "[A-Z2-7]{16}" + _END),
    _row("aws bedrock key", "ABSK", "[A-Za-z0-9+/]{100,}={0,2}"),
    _row("google api key", "AIza", _WORD + "{35}(?![A-Za-z0-9_])"),
    _row("google oauth secret", "GOCSPX-", _WORD + "{28}" + _END),
    _row("google access token", "ya29.", _WORD + "{40,}"),
    Format(
        "azure client secret",
        ("Q~",),
        "[A-Za-z0-9_~.]{3}[0-9]Q~[A-Za-z0-9_~.-]{31,34}" + _END,
        True,
    ),
    _row("azure storage key", "AccountKey= SharedAccessKey=", "[A-Za-z0-9+/]{40,100}={0,2}"),
    _row("digitalocean token", "dop_v1_ doo_v1_ dor_v1_", "[a-f0-9]{64}"),
    _row("cloudflare origin key", "v1.0-", "[a-f0-9]{24}-[a-f0-9]{146}"),
    _row("heroku token", "HRKU-", _WORD + "{36,}"),
    _row("fly token", "fo1_ fm1_ fm2_", "[A-Za-z0-9_+/=-]{40,}"),
    _row("netlify token", "nfp_", _ALNUM + "{36,}"),
    _row("render token", "rnd_", _ALNUM + "{28,}"),
    _row("dynatrace token", "dt0c01.", "[A-Z2-7]{24}\\.[A-Z2-7]{64}"),
    # code and packages
    _row("github token", "ghp_ gho_ ghu_ ghs_ ghr_", _ALNUM + "{36,}"),
    _row("github token", "github_pat_", "[A-Za-z0-9_]{60,}"),
    _row(
        "gitlab token",
        "glpat- glrt- gldt- glptt- glcbt- gloas- glsoat- glft- glimt- glagent- glffct-",
        _WORD + "{20,}",
    ),
    _row("npm token", "npm_", _ALNUM + "{36,}"),
    _row("pypi token", "pypi-AgE", _WORD + "{50,}"),
    _row("rubygems token", "rubygems_", "[a-f0-9]{48}"),
    _row("docker token", "dckr_pat_ dckr_oat_", _WORD + "{20,}"),
    _row("atlassian token", "ATATT3 ATCTT3", "[A-Za-z0-9_=-]{24,}"),
    _row("linear token", "lin_api_ lin_oauth_", _ALNUM + "{32,}"),
    _row("postman key", "PMAK-", "[a-f0-9]{24}-[a-f0-9]{34}"),
    _row("buildkite token", "bkua_ bkaj_", "[A-Za-z0-9_]{32,}"),
    _row("circleci token", "CCIPAT_ CCIPRJ_", "[A-Za-z0-9_]{40,}"),
    _row("sentry token", "sntrys_ sntryu_", "[A-Za-z0-9_+/=]{40,}"),
    _row("grafana token", "glsa_ glc_", "[A-Za-z0-9_+/=]{32,}"),
    _row("new relic key", "NRAK- NRII- NRJS-", _WORD + "{19,}"),
    _row("figma token", "figd_", _WORD + "{40,}"),
    _row("notion token", "ntn_", _ALNUM + "{40,}"),
    _row("doppler token", "dp.pt. dp.st. dp.sa. dp.ct.", "[A-Za-z0-9_.-]{40,}"),
    _row("airtable token", "pat", _ALNUM + "{14}\\.[a-f0-9]{64}"),
    _row("hashicorp vault token", "hvs. hvb. hvr.", _WORD + "{24,}"),
    Format("terraform token", ("atlasv1.",), _ALNUM + "{14}\\.atlasv1\\." + _WORD + "{60,}", True),
    _row("1password token", "ops_eyJ", "[A-Za-z0-9+/=]{250,}"),
    _row("tailscale key", "tskey-", _WORD + "{20,}"),
    # language models
    _row("anthropic key", "sk-ant-", _WORD + "{40,}"),
    _row("openai key", "sk-proj- sk-svcacct- sk-admin-", _WORD + "{40,}"),
    _row("openrouter key", "sk-or-", _WORD + "{40,}"),
    _row("api key", "sk-", _ALNUM + "{32,}"),  # openai's first, deepseek's and others'
    _row("hugging face token", "hf_ api_org_", "[A-Za-z]{34}" + _END),
    _row("groq key", "gsk_", _ALNUM + "{40,}"),
    _row("xai key", "xai-", _ALNUM + "{60,}"),
    _row("perplexity key", "pplx-", _ALNUM + "{40,}"),
    _row("replicate token", "r8_", _ALNUM + "{37}" + _END),
    _row("nvidia key", "nvapi-", _WORD + "{40,}"),
    _row("langsmith key", "lsv2_pt_ lsv2_sk_", "[a-f0-9]{32}_[a-f0-9]{10}"),
    _row("elevenlabs key", "sk_", "[a-f0-9]{48}" + _END),
    _row("pinecone key", "pcsk_", "[A-Za-z0-9_]{40,}"),
    # messages and mail
    _row("slack token", "xoxb- xoxp- xoxa- xoxr- xoxs- xoxe- xoxc- xoxd-", "[A-Za-z0-9%-]{20,}"),
    _row("slack token", "xoxe.xox xapp- xwfp-", "[A-Za-z0-9.-]{20,}"),
    _row("slack webhook", "hooks.slack.com/", "(?:services|workflows|triggers)/[A-Za-z0-9+/]{30,}"),
    _row(
        "discord webhook",
        "discord.com/api/ discordapp.com/api/",
        "webhooks/[0-9]{17,20}/" + _WORD + "{60,}",
    ),
    Format(
        "discord token",
        (".",),
        "[MNO]" + _WORD + "{23,27}\\." + _WORD + "{6}\\." + _WORD + "{27,}",
        True,
    ),
    Format("telegram token", (":A",), "[0-9]{8,10}:A" + _WORD + "{34,}", True),
    _row("twilio key", "SK AC", "[a-f0-9]{32}" + _END),
    _row("sendgrid key", "SG.", _WORD + "{20,24}\\." + _WORD + "{39,50}"),
    _row("mailgun key", "key-", "[a-f0-9]{32}" + _END),
    Format("mailchimp key", ("-us",), "[a-f0-9]{32}-us[0-9]{1,2}" + _END, True),
    _row("resend key", "re_", _ALNUM + "{8}_" + _ALNUM + "{20,}"),
    # money and shops
    _row("stripe key", "sk_live_ rk_live_ sk_test_ rk_test_ sk_org_", _ALNUM + "{16,}"),
    _row("stripe webhook secret", "whsec_", "[A-Za-z0-9+/=]{24,}"),
    _row("square token", "EAAA sq0atp- sq0csp-", _WORD + "{22,}"),
    _row("shopify token", "shpat_ shpca_ shppa_ shpss_", "[A-Fa-f0-9]{32}"),
    _row("easypost key", "EZAK EZTK", _ALNUM + "{54}"),
    _row("woocommerce secret", "cs_ ck_", "[a-f0-9]{40}" + _END),
    # data
    _row("databricks token", "dapi", "[a-f0-9]{32}(?:-[0-9])?" + _END),
    _row("supabase token", "sbp_", "[a-z0-9_-]{40,}"),
    _row("supabase token", "sb_secret_", _WORD + "{30,}"),
    _row("planetscale token", "pscale_tkn_ pscale_pw_ pscale_oauth_", "[A-Za-z0-9_.=-]{32,}"),
    _row("posthog key", "phx_", _ALNUM + "{40,}"),
    *(_loose(row) for row in _LOOSE.strip().splitlines()),
    # keys of no one issuer
    _row("age key", "AGE-SECRET-KEY-1", "[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58}"),
    _row("json web token", "eyJ", _WORD + "{10,}+\\.eyJ" + _WORD + "{8,}+\\." + _WORD + "{16,}+"),
)


@cache
def compiled(pattern: str) -> re.Pattern[str]:
    """Give a pattern, compiled once a process; nothing that a token is made of stands before it."""
    return re.compile((_BEGIN_STRICT if "eyJ" in pattern else _BEGIN) + pattern, re.ASCII)


_BEGIN_STRICT: Final = "(?<![A-Za-z0-9_-])"
