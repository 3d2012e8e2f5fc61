"""Sabotages of finding: what is ranked, lent, filtered, marked and explained."""

from __future__ import annotations

from tests.sabotage.change import Change

RANK = "kioku/view/rank.py"
CANDIDATES = "kioku/view/candidates.py"
SEARCH = "kioku/view/search.py"
SCOPE = "kioku/view/scope.py"
FILTER = "kioku/view/filter.py"
SNIPPET = "kioku/view/snippet.py"
RANKER = "kioku/memory/ranker.py"
SEARCHING = "kioku/memory/searching.py"

RANK_TESTS = "tests/unit/test_view_rank.py"
SEARCH_TESTS = "tests/unit/test_view_search.py tests/unit/test_view_candidates.py"
FILTER_TESTS = "tests/unit/test_view_filter.py"
SNIPPET_TESTS = "tests/unit/test_view_snippet.py"
RANKER_TESTS = "tests/unit/test_memory_ranker.py"
LAW_TESTS = "tests/property/test_search.py"
CLI_TESTS = "tests/integration/test_cli_search.py"

SEARCH_GROUPS: dict[str, list[Change]] = {
    "search": [
        Change(
            "neighbours lend nothing",
            RANK,
            "                strength += share * of[place]\n",
            "                pass\n",
            RANK_TESTS,
        ),
        Change(
            "neighbours of other sessions lend",
            CANDIDATES,
            "WHERE n.session_id = r.session_id AND n.hlc {0}= r.hlc",
            "WHERE n.hlc {0}= r.hlc",
            RANK_TESTS,
        ),
        Change(
            "those that have no session are neighbours",
            CANDIDATES,
            ' AND r.session_id <> \'\'"""',
            '"""',
            RANK_TESTS,
        ),
        Change(
            "neighbours go by arrival",
            CANDIDATES,
            "ORDER BY n.hlc {2}, n.key {2} LIMIT 1",
            "ORDER BY n.event {2} LIMIT 1",
            f"{RANK_TESTS} {LAW_TESTS}",
        ),
        Change(
            "what has all words counts no more",
            RANK,
            "1.0 + held / (len(context.strengths) or 1)",
            "1.0",
            f"{RANK_TESTS} {CLI_TESTS}",
        ),
        Change(
            "recency counts from nothing",
            RANK,
            "days = max(0, newest - stamp) / _STAMPS_A_DAY",
            "days = stamp / _STAMPS_A_DAY",
            RANK_TESTS,
        ),
        Change(
            "the parts leave out what was lent",
            RANK,
            "terms.append(TermScore(term, weight, alone, lent))",
            "terms.append(TermScore(term, weight, alone, 0.0))",
            LAW_TESTS,
        ),
        Change(
            "equal scores keep the order of arrival",
            CANDIDATES,
            "AND {scope.where} ORDER BY {GREATEST_FIRST}",
            "AND {scope.where} ORDER BY r.event DESC",
            f"{SEARCH_TESTS} {LAW_TESTS}",
        ),
        Change(
            "a preferred project counts like any other",
            RANK,
            "PROJECT_FACTOR if candidate.is_preferred else 1.0",
            "1.0",
            RANK_TESTS,
        ),
        Change(
            "a preferred project is not first among the newest",
            SCOPE,
            "return [within, self.also(",
            "return [self] if within else [self.also(",
            RANK_TESTS,
        ),
        Change(
            "a word that was typed whole is taken for a beginning",
            SEARCH,
            "return parsed.completed() if few else parsed",
            "return parsed.completed()",
            SEARCH_TESTS,
        ),
        Change(
            "a word that is being typed is taken for a whole one",
            SEARCH,
            "return parsed.completed() if few else parsed",
            "return parsed",
            f"{SEARCH_TESTS} {SNIPPET_TESTS}",
        ),
        Change(
            "substring=True scans no more than the newest",
            SEARCH,
            "depth = None if substring else TOPPED_UP_MAX if matches else SCANNED_MAX",
            "depth = TOPPED_UP_MAX if matches else SCANNED_MAX",
            CLI_TESTS,
        ),
        Change(
            "a path matches in the middle of a name",
            FILTER,
            'any(f"/{path}".endswith(ends)',
            'any(f"/{path}".endswith(tuple(end[1:] for end in ends))',
            FILTER_TESTS,
        ),
        Change(
            "True is 1",
            FILTER,
            "return one == other and isinstance(one, bool) == isinstance(other, bool)",
            "return one == other",
            FILTER_TESTS,
        ),
        Change(
            "of several projects only the first will do",
            SCOPE,
            "return f\"{column} IN ({', '.join(f':{each}' for each in bindings)})\", bindings",
            'return f"{column} = :{name}0", bindings',
            FILTER_TESTS,
        ),
        Change(
            "marks stand one character off",
            SNIPPET,
            "shift = len(before) - start",
            "shift = -start",
            SNIPPET_TESTS,
        ),
        Change(
            "the ranker's order is the only one",
            RANKER,
            "return 1 / (_RANK_OFFSET + self.by_words) + 1 / (_RANK_OFFSET + self.by_ranker)",
            "return 1 / (_RANK_OFFSET + self.by_ranker)",
            RANKER_TESTS,
        ),
        Change(
            "equal numbers of a ranker get different ranks",
            RANKER,
            "first.setdefault(score, rank)",
            "first[score] = rank",
            RANKER_TESTS,
        ),
        Change(
            "a ranker sees only what is wanted",
            SEARCHING,
            "limit = max(question.limit, RANKED_MIN)",
            "limit = question.limit",
            RANKER_TESTS,
        ),
        Change(
            "the telling words are chosen though too few have them",
            CANDIDATES,
            "if spare < 0 or count_up_to(connection, fewer.match_any(), enough) < enough:",
            "if spare < 0:",
            SEARCH_TESTS,
        ),
    ]
}
