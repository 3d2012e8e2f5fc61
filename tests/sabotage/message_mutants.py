"""Sabotages of what replicas say to each other, and of what they answer."""

from __future__ import annotations

from tests.sabotage.change import Change

ANSWERING = "kioku/transport/answering.py"
CODEC = "kioku/log/codec.py"
FIELDS = "kioku/transport/fields.py"
MESSAGE = "kioku/transport/message.py"
PEEK = "kioku/transport/peek.py"

ANSWER_TESTS = "tests/unit/transport/test_answering.py"
LIE_TESTS = "tests/unit/transport/test_session_lies.py"
MESSAGE_TESTS = "tests/property/test_messages.py tests/vectors/test_messages.py"

MESSAGE_GROUPS: dict[str, list[Change]] = {
    "message": [
        Change(
            "a message may be encoded in several ways",
            MESSAGE,
            '    check_canonical(value, data, "message")\n',
            "",
            MESSAGE_TESTS,
        ),
        Change(
            "any number of parts is decoded",
            MESSAGE,
            "    if not has_items_max(data, ITEMS_MAX):\n",
            "    if False:\n",
            f"{MESSAGE_TESTS} {LIE_TESTS}",
        ),
        Change(
            "parts are counted without end",
            CODEC,
            "            items_max -= 1\n",
            "            items_max -= 0\n",
            MESSAGE_TESTS,
        ),
        Change(
            "a message may have any size",
            MESSAGE,
            "    if len(data) > MESSAGE_BYTES_MAX:\n",
            "    if len(data) > 2 * MESSAGE_BYTES_MAX:\n",
            MESSAGE_TESTS,
        ),
        Change(
            "a later protocol is read as ours",
            MESSAGE,
            "    if version > PROTOCOL_VERSION:\n",
            "    if version > 99:\n",
            f"{MESSAGE_TESTS} {ANSWER_TESTS}",
        ),
        Change(
            "no protocol at all is read as ours",
            MESSAGE,
            "    if version < 1 or not",
            "    if not",
            MESSAGE_TESTS,
        ),
        Change(
            "true is a number",
            FIELDS,
            "    if type(value) is not int or not low",
            "    if not isinstance(value, int) or not low",
            MESSAGE_TESTS,
        ),
        Change(
            "heads may repeat",
            MESSAGE,
            "    rising([head.tip for head in heads])\n",
            "",
            MESSAGE_TESTS,
        ),
        Change(
            "a head may lie under another prefix",
            MESSAGE,
            "    if not all(head.tip.log_id.hex().startswith(prefix) for head in heads):\n",
            "    if False:\n",
            MESSAGE_TESTS,
        ),
        Change(
            "prefixes of an answer may repeat",
            MESSAGE,
            "    rising([part.prefix for part in parts])\n",
            "",
            MESSAGE_TESTS,
        ),
        Change(
            "items may repeat",
            FIELDS,
            "if any(low >= high for",
            "if any(low > high for",
            MESSAGE_TESTS,
        ),
        Change(
            "a tip may come without its seal",
            MESSAGE,
            "    if (beacon.own_tip is None) != (beacon.seal is None):\n",
            "    if False:\n",
            MESSAGE_TESTS,
        ),
        Change(
            "a type to come is an error",
            MESSAGE,
            "        return Unknown(kind)\n",
            '        raise malformed("no such type")\n',
            f"{MESSAGE_TESTS} {ANSWER_TESTS}",
        ),
        Change(
            "a chunk may claim any number of events",
            PEEK,
            "1 <= count <= EVENTS_MAX and",
            "1 <= count and",
            "tests/unit/transport/test_peek.py",
        ),
        Change(
            "a question that cannot be read is not answered",
            ANSWERING,
            '        status = "malformed"\n',
            "        return\n",
            ANSWER_TESTS,
        ),
        Change(
            "thirty-three tips are listed",
            ANSWERING,
            "or holdings.count_tips(prefix) <= HEADS_MAX",
            "or holdings.count_tips(prefix) <= HEADS_MAX + 1",
            ANSWER_TESTS,
        ),
        Change(
            "one log's many tips are summed",
            ANSWERING,
            "    if len(prefix) == HEX_DIGITS_MAX or holdings",
            "    if holdings",
            ANSWER_TESTS,
        ),
        Change(
            "a frontier that moved gives a receipt",
            ANSWERING,
            "    return answer._replace(erased=False)\n",
            "    return answer\n",
            ANSWER_TESTS,
        ),
        Change(
            "a range does not stop at its credit",
            ANSWERING,
            "        if len(chunk) > left:\n",
            "        if left < 0:\n",
            ANSWER_TESTS,
        ),
        Change(
            "a range may ask for any credit",
            ANSWERING,
            "    left = min(query.credit_bytes, credit_bytes)\n",
            "    left = query.credit_bytes\n",
            ANSWER_TESTS,
        ),
        Change(
            "bodies do not stop at their credit",
            ANSWERING,
            "if room < 0 and (batch or _size(body) > left):",
            "if room < 0 and batch:",
            ANSWER_TESTS,
        ),
        Change(
            "all bodies are read at once",
            ANSWERING,
            "_READS_AT_ONCE: Final = 4\n",
            "_READS_AT_ONCE: Final = 256\n",
            ANSWER_TESTS,
        ),
        Change(
            "what is unknown is done",
            ANSWERING,
            '        return "unknown"\n',
            '        return "done"\n',
            ANSWER_TESTS,
        ),
    ],
}
