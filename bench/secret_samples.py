"""Texts with made-up credentials in them, and texts that only look so: what recall is measured on.

No credential stands here. Each is drawn letter by letter behind the mark of its issuer, and that
mark is put together from pieces, so that nobody's scanner takes this file for a leak. The drawing
is seeded: the same seed gives the same texts.
"""

from __future__ import annotations

import base64
import json
import random
import string
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LOWER, UPPER, DIGIT = string.ascii_lowercase, string.ascii_uppercase, string.digits
ALNUM = UPPER + LOWER + DIGIT
HEX = DIGIT + "abcdef"
WORD = ALNUM + "-_"
BASE64 = ALNUM + "+/"
BASE32 = UPPER + "234567"
BECH32 = "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L"


class Sample(NamedTuple):
    """A text, the credential in it, and what it is called."""

    kind: str
    secret: str
    text: str


# The kind, and a recipe: letters that stand for themselves (| parts a mark), and (alphabet, count).
_RECIPES: tuple[tuple[str, tuple[str | tuple[str, int], ...]], ...] = (
    ("aws access key", ("AK|IA", (BASE32, 16))),
    ("aws access key", ("AS|IA", (BASE32, 16))),
    ("aws bedrock key", ("AB|SK", (BASE64, 128))),
    ("google api key", ("AI|za", (WORD, 35))),
    ("google oauth secret", ("GOC|SPX-", (WORD, 28))),
    ("google access token", ("ya|29.", (WORD, 120))),
    ("azure client secret", ((ALNUM, 3), "8Q|~", (ALNUM, 34))),
    ("azure storage key", ("Account|Key=", (BASE64, 86), "==")),
    ("digitalocean token", ("do|p_v1_", (HEX, 64))),
    ("cloudflare origin key", ("v1|.0-", (HEX, 24), "-", (HEX, 146))),
    ("heroku token", ("HR|KU-", (WORD, 58))),
    ("fly token", ("fm|2_", (WORD, 90))),
    ("netlify token", ("nf|p_", (ALNUM, 36))),
    ("render token", ("rn|d_", (ALNUM, 28))),
    ("dynatrace token", ("dt|0c01.", (BASE32, 24), ".", (BASE32, 64))),
    ("github token", ("gh|p_", (ALNUM, 36))),
    ("github token", ("gh|o_", (ALNUM, 36))),
    ("github token", ("gh|s_", (ALNUM, 36))),
    ("github token", ("gh|r_", (ALNUM, 36))),
    ("github token", ("git|hub_pat_", (ALNUM, 22), "_", (ALNUM, 59))),
    ("gitlab token", ("gl|pat-", (WORD, 20))),
    ("gitlab token", ("gl|rt-", (WORD, 20))),
    ("npm token", ("np|m_", (ALNUM, 36))),
    ("pypi token", ("py|pi-AgEIcHlwaS5vcmc", (WORD, 150))),
    ("rubygems token", ("ruby|gems_", (HEX, 48))),
    ("docker token", ("dck|r_pat_", (WORD, 27))),
    ("atlassian token", ("ATA|TT3xFfGF0", (WORD, 180), "=", ("0123456789ABCDEF", 8))),
    ("linear token", ("lin|_api_", (ALNUM, 40))),
    ("postman key", ("PM|AK-", (HEX, 24), "-", (HEX, 34))),
    ("buildkite token", ("bk|ua_", (HEX, 40))),
    ("circleci token", ("CCI|PAT_", (ALNUM, 22), "_", (HEX, 40))),
    ("sentry token", ("sn|tryu_", (HEX, 64))),
    ("grafana token", ("gl|sa_", (ALNUM, 32), "_", (HEX, 8))),
    ("new relic key", ("NR|AK-", (UPPER + DIGIT, 27))),
    ("figma token", ("fi|gd_", (WORD, 40))),
    ("notion token", ("nt|n_", (DIGIT, 11), (ALNUM, 35))),
    ("doppler token", ("dp|.pt.", (ALNUM, 43))),
    ("airtable token", ("pa|t", (ALNUM, 14), ".", (HEX, 64))),
    ("hashicorp vault token", ("hv|s.", (WORD, 95))),
    ("terraform token", ((ALNUM, 14), ".atlas|v1.", (WORD, 65))),
    ("1password token", ("ops|_eyJ", (ALNUM, 300))),
    ("tailscale key", ("ts|key-auth-", (ALNUM, 12), "-", (ALNUM, 32))),
    ("anthropic key", ("sk|-ant-api03-", (WORD, 93), "AA")),
    ("anthropic key", ("sk|-ant-admin01-", (WORD, 93), "AA")),
    ("openai key", ("sk|-proj-", (WORD, 74), "T3Blbk|FJ", (WORD, 74))),
    ("openrouter key", ("sk|-or-v1-", (HEX, 64))),
    ("api key", ("sk|-", (ALNUM, 20), "T3Blbk|FJ", (ALNUM, 20))),
    ("hugging face token", ("h|f_", (UPPER + LOWER, 34))),
    ("groq key", ("gs|k_", (ALNUM, 52))),
    ("xai key", ("xa|i-", (ALNUM, 80))),
    ("perplexity key", ("pp|lx-", (ALNUM, 48))),
    ("replicate token", ("r|8_", (ALNUM, 37))),
    ("nvidia key", ("nv|api-", (WORD, 64))),
    ("langsmith key", ("ls|v2_pt_", (HEX, 32), "_", (HEX, 10))),
    ("pinecone key", ("pc|sk_", (ALNUM, 6), "_", (ALNUM, 63))),
    ("slack token", ("xo|xb-", (DIGIT, 12), "-", (DIGIT, 12), "-", (ALNUM, 24))),
    ("slack token", ("xo|xp-", (DIGIT, 12), "-", (DIGIT, 12), "-", (HEX, 32))),
    ("slack token", ("xa|pp-1-A", (UPPER, 10), "-", (DIGIT, 13), "-", (HEX, 64))),
    (
        "slack webhook",
        ("hooks.sl|ack.com/services/T", (UPPER, 8), "/B", (UPPER, 8), "/", (ALNUM, 24)),
    ),
    ("discord webhook", ("disc|ord.com/api/webhooks/", (DIGIT, 18), "/", (WORD, 68))),
    ("discord token", (("MNO", 1), (ALNUM, 23), ".", (ALNUM, 6), ".", (WORD, 27))),
    ("telegram token", (("123456789", 1), (DIGIT, 9), ":A|A", (WORD, 33))),
    ("twilio key", ("S|K", (HEX, 32))),
    ("sendgrid key", ("S|G.", (WORD, 22), ".", (WORD, 43))),
    ("mailgun key", ("k|ey-", (HEX, 32))),
    ("mailchimp key", ((HEX, 32), "-u|s", ("123456789", 1))),
    ("resend key", ("r|e_", (ALNUM, 8), "_", (ALNUM, 24))),
    ("stripe key", ("sk|_live_", (ALNUM, 24))),
    ("stripe key", ("rk|_live_", (ALNUM, 99))),
    ("stripe webhook secret", ("wh|sec_", (ALNUM, 32))),
    ("square token", ("EA|AA", (WORD, 60))),
    ("shopify token", ("shp|at_", (HEX, 32))),
    ("easypost key", ("EZ|AK", (ALNUM, 54))),
    ("databricks token", ("da|pi", (HEX, 32))),
    ("supabase token", ("sb|p_", (HEX, 40))),
    ("supabase token", ("sb|_secret_", (WORD, 31))),
    ("planetscale token", ("psc|ale_tkn_", (WORD, 43))),
    ("posthog key", ("ph|x_", (ALNUM, 43))),
    ("1password token", ("op|s_", (ALNUM, 60))),
    ("adobe secret", ("p8|e-", (ALNUM, 32))),
    ("aikido token", ("AI|K_CI_", (ALNUM, 20))),
    ("apify token", ("ap|ify_api_", (ALNUM, 36))),
    ("artifactory token", ("AK|Cp", (ALNUM, 54))),
    ("asaas token", ("aa|ct_prod_", (ALNUM, 20))),
    ("astra token", ("As|traCS:", (ALNUM, 40))),
    ("bedrock key", ("be|drock-api-key-", (ALNUM, 28))),
    ("bitbucket token", ("BB|DC-", (ALNUM, 24))),
    ("buildkite token", ("bk|ps_", (ALNUM, 32))),
    ("canva secret", ("cn|vca", (ALNUM, 44))),
    ("cartesia key", ("sk|_car_", (ALNUM, 20))),
    ("cerebras key", ("cs|k-", (ALNUM, 40))),
    ("clojars token", ("CL|OJARS_", (ALNUM, 50))),
    ("cloudflare token", ("cf|ut_", (ALNUM, 36))),
    ("cockroach key", ("CC|DB1_", (ALNUM, 40))),
    ("crates token", ("ci|o", (ALNUM, 32))),
    ("cursor key", ("ke|y_", (ALNUM, 60))),
    ("deno token", ("dd|p_", (ALNUM, 36))),
    ("devcycle key", ("dv|c_server_", (ALNUM, 20))),
    ("docker swarm key", ("SW|MTKN-1-", (ALNUM, 36))),
    ("dropbox token", ("sl|.u.", (ALNUM, 100))),
    ("duffel token", ("du|ffel_live_", (ALNUM, 40))),
    ("elastic key", ("es|su_", (ALNUM, 40))),
    ("elevenlabs key", ("sk|_", (HEX, 48))),
    ("facebook token", ("EA|AM", (ALNUM, 80))),
    ("flutterwave key", ("FL|WSECK-", (HEX, 32), "-X")),
    ("frame.io token", ("fi|o-u-", (ALNUM, 60))),
    ("gitlab token", ("GR|1348941", (ALNUM, 20))),
    ("google api key", ("AQ|.Ab8", (ALNUM, 30))),
    ("grafana token", ("ey|JrIjoi", (ALNUM, 40))),
    ("harness token", ("sa|t.", (ALNUM, 60))),
    ("infracost token", ("ic|o-", (ALNUM, 30))),
    ("ionic token", ("io|n_", (ALNUM, 40))),
    ("langfuse key", ("sk|-lf-", (ALNUM, 36))),
    ("llama key", ("ll|x-", (ALNUM, 48))),
    ("mailersend token", ("ml|sn.", (ALNUM, 60))),
    ("mapbox token", ("sk|.eyJ", (ALNUM, 60))),
    ("mercury token", ("me|rcury_production_", (ALNUM, 40))),
    ("mergify key", ("me|rgify_application_key_", (ALNUM, 40))),
    ("minimax key", ("sk|-api-", (ALNUM, 60))),
    ("mongodb atlas secret", ("md|b_sa_sk_", (ALNUM, 36))),
    ("neon key", ("na|pi_", (ALNUM, 50))),
    ("nylas key", ("ny|k_", (ALNUM, 50))),
    ("octopus key", ("AP|I-", (ALNUM, 26))),
    ("onesignal token", ("os|_v2_org_", (ALNUM, 80))),
    ("openshift token", ("sh|a256~", (ALNUM, 40))),
    ("packagist token", ("pa|ckagist_ort_", (ALNUM, 60))),
    ("paddle key", ("pd|l_live_apikey_", (ALNUM, 40))),
    ("persona key", ("pe|rsona_production_", (ALNUM, 30))),
    ("pinterest token", ("pi|na_", (ALNUM, 24))),
    ("plaid token", ("ac|cess-sandbox-", (ALNUM, 36))),
    ("polar token", ("po|lar_at_", (ALNUM, 20))),
    ("postman token", ("PM|AT-", (ALNUM, 26))),
    ("prefect token", ("pn|u_", (ALNUM, 36))),
    ("pulumi token", ("pu|l-", (ALNUM, 40))),
    ("ramp secret", ("ra|mp_sec_", (ALNUM, 40))),
    ("readme key", ("rd|me_", (ALNUM, 60))),
    ("runpod key", ("rp|a_", (ALNUM, 40))),
    ("samsara token", ("sa|msara_api_", (ALNUM, 20))),
    ("scalingo token", ("tk|-us-", (ALNUM, 40))),
    ("segment token", ("sg|p_", (ALNUM, 40))),
    ("sendinblue key", ("xk|eysib-", (ALNUM, 60))),
    ("shippo token", ("sh|ippo_live_", (ALNUM, 40))),
    ("together key", ("tg|p_v1_", (ALNUM, 40))),
    ("twitter token", ("AA|AAAAAAAAAAAAAAAAAAA", (ALNUM, 60))),
    ("typeform token", ("tf|p_", (ALNUM, 40))),
    ("upcloud token", ("uc|at_", (ALNUM, 26))),
    ("vercel token", ("vc|k_", (ALNUM, 40))),
    ("voyage key", ("pa|-", (ALNUM, 40))),
    ("wakatime key", ("wa|ka_", (ALNUM, 36))),
    ("wandb key", ("wa|ndb_v1_", (ALNUM, 60))),
    ("woocommerce secret", ("cs|_", (HEX, 40))),
    ("xendit key", ("xn|d_production_", (ALNUM, 40))),
    ("yandex token", ("t1|.", (ALNUM, 38))),
    ("zuplo key", ("zp|ka_", (ALNUM, 32))),
    ("age key", ("AGE-SEC|RET-KEY-1", (BECH32, 58))),
)
_CONTEXTS = (
    "The token is {}",
    "export TOKEN={}",
    '"token": "{}",',
    "curl -H 'Authorization: Bearer {}' example.org/v1",
    "見つかった鍵は{}です。あとで消す。",
    "we use {} for the deploy, do not lose it",
    "deploy:\n  key: {}\n  region: eu-west-1",
    "`{}`",
    "({})",
)
_PASSWORDS = (
    "password = {}",
    'password: "{}"',
    "DB_PASSWORD={}",
    "PGPASSWORD='{}' psql",
    "passwd={}",
    "the password is {}",
    'pwd: "{}"',
    "--password {}",
    "--db-password={}",
    "mysql_root_password: {}",
    "- **Password:** {}",
    '{{"user": "app", "password": "{}"}}',
    'password: str = "{}"',
    "<password>{}</password>",
    "| password | {} |",
    "the admin password was `{}` until May",
    "パスワードは{}です",
    "パスワード\uff1a{}",
    "passphrase = '{}'",
    "Server=tcp:db.example.net;User ID=app;Password={};Encrypt=True",
)
_SECRETS = (
    "api_key = '{}'",
    "API_KEY={}",
    "apikey: {}",
    '"client_secret": "{}"',
    'secret_key = "{}"',
    "access_token: {}",
    "auth_token={}",
    "X-Api-Key: {}",
    "AWS_SECRET_ACCESS_KEY={}",
    "aws_secret_access_key = {}",
    "SECRET={}",
    "MY_SERVICE_TOKEN={}",
    'refresh_token="{}"',
    "encryption_key: {}",
    "トークン: {}",
    "?access_token={}",
    "Authorization: Bearer {}",
    "Authorization: token {}",
    "-H 'Authorization: Bearer {}'",
)
_ADDRESSES = (
    "postgres://app:{}@db.internal:5432/app",
    "postgresql+psycopg://app:{}@db/app?sslmode=require",
    "mysql://root:{}@10.0.0.3/x",
    "mongodb+srv://u:{}@cluster0.example.net",
    "redis://:{}@cache:6379/0",
    "amqp://worker:{}@mq:5672",
    "ssh://user:{}@git.example.org/x.git",
)

# Texts of which nothing may be taken: each speaks of secrets, or has what only looks like one.
HARMLESS = (
    "AWS writes AKIAIOSFODNN7EXAMPLE and key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY there",
    "export TOKEN=<token>; export GITHUB_TOKEN=${GITHUB_TOKEN}",
    "password: ${DB_PASSWORD}",
    "password = os.environ['DB_PASSWORD']",
    "password = getpass.getpass()",
    "api_key=YOUR_API_KEY_1234567890",
    "api_key: xxxxxxxxxxxxxxxxxxxxxxxx",
    "token: ************************",
    "We hash passwords with argon2id and sign tokens with HS256.",
    "password: argon2id, tokens: sha256",
    "password hashing: bcrypt",
    "Fixed in 3c2f1e0d9b8a7f6e5d4c3b2a1908f7e6d5c4b3a2, see the pull request.",
    "sha256 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "session 123e4567-e89b-12d3-a456-426614174000 was lost",
    "supersedes 5eb143ac32bf5adbe28901a21e98c277",
    "token: 5eb143ac32bf5adbe28901a21e98c277",
    "max_tokens: 128000, token_count=15234567",
    "The key is `src/log/hlc.py:test_the_clock_never_goes_back_2024`",
    "checkout session cs_test_a1YS1URlnyQCN5fUUduORoQ7Pw41PJqDWkIVQCpJPqkfIhd6tVY8XB1OLY",
    "payment pi_3MtwBwLkdIwHu7ix28a3tqPa of cus_NffrFeUfNV2Hib, msg_013Zva2CMHLNnjNjJKqJ2EF",
    "primary key: user_id; foreign key: account_id2024_created_at",
    "cache key = project:branch:lockfile-hash-v2",
    "secret_name: prod/db/main-password-2024",
    "password=password123"[:16],
    "postgres://postgres:postgres@localhost:5432/test",
    "postgres://user:password@localhost/db",
    "ftp://example.org:8080/a@2x.png",
    "-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----",
    "Look for `-----BEGIN OPENSSH PRIVATE KEY-----` in the repository.",
    "パスワードは必須です。トークンは環境変数から読む。",
    "パスワードはbcryptで守る",
    "bearer authentication, bearer tokens and refresh tokens are explained there",
    "Authorization: Bearer $TOKEN",
    "Authorization: Bearer <access_token>",
    "private_key: ed25519.Ed25519PrivateKey, token: Route53ClientError",
    "socks5h://<username>:<password>@proxy-host",
    "password: str = Field(min_length=12)",
    "def login(user: str, password: str) -> Token: ...",
    "the password is stored in the vault under op://team/deploy/password2",
    "password file: /run/secrets/db_password1",
    "PASSWORD=/run/secrets/db_password1",
    "secret: the cache must be warmed before the deploy on 2024-05-01T10:00:00",
    "[redacted: github token]",
    "password = [redacted: password]",
    'password: "[redacted: password]"',
    "The eyJ of a JWT is the base64 of an opening brace and a quotation mark.",
    "data:image/png;base64," + base64.b64encode(bytes(range(60))).decode(),
    "integrity sha512-" + base64.b64encode(bytes(range(7, 71))).decode(),
    "ssh-ed25519 " + base64.b64encode(b"\0\0\0\x0bssh-ed25519\0\0\0 " + bytes(32)).decode(),
)


# What, again and again, is slow to read for who reads it carelessly.
HOSTILE = (
    *("pass=", 'password:"a', "api_key:", "eyJ-", "eyJaaaaaaaaaa.eyJbbbbbbbbbbbb-", "A1", "M."),
    *("-----BEGIN PRIVATE KEY-----\n", "a://b:c1d@e ", "bearer aaaaaaaaaaaaaaaaaaa1 ", "ghp_"),
    *("MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxM.", "password" + 20 * " ", "QUJDREVGR0hJSktMTU5PUFFSU1Q= "),
    *("<private></private>", "パスワードは", "0123456789abcdef-us", "password = a1b2c3d4, "),
)


def credentials(seed: int) -> Iterator[tuple[str, str]]:
    """Give a kind and a made-up credential for each recipe."""
    draw = _drawing(seed)
    for kind, recipe in _RECIPES:
        parts = (part.replace("|", "") if isinstance(part, str) else draw(*part) for part in recipe)
        yield kind, "".join(parts)
    yield "json web token", _web_token(draw)


def samples(seed: int = 1) -> Iterator[Sample]:
    """Give a text for each kind of credential and for each way of naming one."""
    chance = random.Random(seed)
    draw = _drawing(seed)
    for kind, secret in credentials(seed):
        yield Sample(kind, secret, chance.choice(_CONTEXTS).format(secret))
    for form in _PASSWORDS:
        secret = draw(ALNUM, 11) + draw(DIGIT, 1) + draw("!#%&", 1) + draw(ALNUM, 3)
        yield Sample("password", secret, form.format(secret))
    for form in _SECRETS:
        secret = draw(BASE64 if "secret_access" in form.lower() else ALNUM, 40)
        yield Sample("secret", secret, form.format(secret))
    for form in _ADDRESSES:
        secret = draw(ALNUM, 14)
        yield Sample("password in an address", secret, form.format(secret))
    packed = base64.b64encode(f"admin:{draw(ALNUM, 14)}".encode()).decode()
    yield Sample("password", packed, f"Authorization: Basic {packed}")
    token = next(secret for kind, secret in credentials(seed) if kind == "github token")
    packed = base64.b64encode(token.encode()).decode()
    yield Sample("github token in base64", packed, f"data:\n  github: {packed}\n")
    yield from _private_keys(draw)


def _private_keys(draw: Callable[[str, int], str]) -> Iterator[Sample]:
    for issuer in ("RSA ", "EC ", "DSA ", "OPENSSH ", "ENCRYPTED ", ""):
        key = _private_key(draw, issuer)
        yield Sample("private key", key, f"The old one:\n{key}\nended in May")
    key = _private_key(draw, "RSA ").replace("\n", "\\n")
    yield Sample("private key", key, f'{{"type": "service_account", "k": "{key}"}}')
    cut = _private_key(draw, "").rpartition("\n")[0]
    yield Sample("private key", cut, f"It was cut off:\n{cut}")


def _private_key(draw: Callable[[str, int], str], issuer: str) -> str:
    lines = "\n".join(draw(BASE64, 64) for _ in range(6))
    dashes = "-" * 5
    name = f"{issuer}PRIVATE KEY"
    return f"{dashes}BEGIN {name}{dashes}\n{lines}\n{dashes}END {name}{dashes}"


def _web_token(draw: Callable[[str, int], str]) -> str:
    parts = ({"alg": "HS256", "typ": "JWT"}, {"sub": draw(DIGIT, 10), "iat": 1_516_239_022})
    packed = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode() for part in parts]
    return ".".join([*(part.rstrip("=") for part in packed), draw(WORD, 43)])


def _drawing(seed: int) -> Callable[[str, int], str]:
    chance = random.Random(seed)

    def draw(alphabet: str, count: int) -> str:
        return "".join(chance.choice(alphabet) for _ in range(count))

    return draw
