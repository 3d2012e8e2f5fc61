"""One-line sabotages of how a machine is set up for the mesh, and of what is said of it."""

from __future__ import annotations

from tests.sabotage.change import Change

CONFIG_TESTS = "tests/unit/test_config_mesh.py"
INIT_TESTS = "tests/integration/test_cli_init.py"
MESH_TESTS = "tests/integration/test_mesh_cli.py"
TOLD_TESTS = "tests/integration/test_mesh_told.py"
SYNC_TESTS = "tests/unit/test_cli_syncing.py"
LOG_TESTS = "tests/unit/test_serve_log.py"
MEETING_TESTS = "tests/unit/test_memory_meeting.py"
SYSTEMD_TESTS = "tests/unit/test_cli_systemd.py"
ENDPOINTS = "kioku/config/endpoints.py"
MESH = "kioku/config/mesh.py"
INIT = "kioku/cli/initializing.py"
LOG = "kioku/cli/serve_log.py"
SYNC = "kioku/cli/syncing.py"
PEERS = "kioku/cli/acquaintance.py"
SYSTEMD = "kioku/cli/systemd.py"
STATUS = "kioku/cli/mesh_status.py"

MESH_CLI_GROUPS: dict[str, list[Change]] = {
    "mesh-config": [
        Change(
            "anybody's address counts as this machine's own",
            ENDPOINTS,
            "and ip_address(self.host).is_loopback",
            "",
            CONFIG_TESTS,
        ),
        Change(
            "a host's name may hold what Zenoh reads as configuration",
            ENDPOINTS,
            "if len(name) > NAME_LENGTH_MAX or not all(map(_is_label, labels)):",
            "if len(name) > NAME_LENGTH_MAX:",
            CONFIG_TESTS,
        ),
        Change(
            "any protocol is taken for TCP",
            ENDPOINTS,
            'if slash and protocol.lower() != "tcp":',
            "if False:",
            CONFIG_TESTS,
        ),
        Change(
            "port 0 is a port",
            ENDPOINTS,
            "not 1 <= int(digits) <= PORT_MAX",
            "not 0 <= int(digits) <= PORT_MAX",
            CONFIG_TESTS,
        ),
        Change(
            "an IPv6 address is written without brackets",
            ENDPOINTS,
            'f"[{self.host}]" if ":" in self.host else self.host',
            "self.host",
            CONFIG_TESTS,
        ),
        Change(
            "a hub listens anywhere unasked",
            MESH,
            "    if config.exposed and not config.is_insecure:\n",
            "    if False:\n",
            CONFIG_TESTS,
        ),
        Change(
            "a hub listens on all addresses by default",
            MESH,
            'DEFAULT_LISTEN: Final = Endpoint("127.0.0.1").text',
            'DEFAULT_LISTEN: Final = Endpoint("0.0.0.0").text',
            CONFIG_TESTS,
        ),
        Change(
            "the file beats the command line",
            MESH,
            "        if name not in said:\n",
            "        if True:\n",
            CONFIG_TESTS,
        ),
        Change(
            "an unknown key of [mesh] is passed over",
            MESH,
            "            self._fault(name, value, source, wrong)\n",
            "",
            CONFIG_TESTS,
        ),
        Change(
            "the space called private is shared",
            MESH,
            "    if PRIVATE_SPACE in config.spaces:\n",
            "    if False:\n",
            CONFIG_TESTS,
        ),
        Change(
            "a spoke needs nobody to dial",
            MESH,
            'if config.mode == "spoke" and not config.connect:',
            "if False:",
            CONFIG_TESTS,
        ),
        Change(
            "a hub dials every address",
            MESH,
            "        if endpoint.is_every_address:\n",
            "        if False:\n",
            CONFIG_TESTS,
        ),
        Change(
            "values of [zenoh] are shown",
            "kioku/config/explanation.py",
            '", ".join(sorted(config.zenoh))',
            "str(config.zenoh)",
            CONFIG_TESTS,
        ),
        Change(
            "a table of the mesh stops a save",
            "kioku/config/sources.py",
            '_TABLES = ("mesh", "zenoh")',
            "_TABLES: tuple[str, ...] = ()",
            CONFIG_TESTS,
        ),
        Change(
            "who picked an open address is not asked again",
            INIT,
            "if not arguments.insecure and not parse_endpoint(chosen).is_loopback:",
            "arguments.insecure = True\n    if False:",
            INIT_TESTS,
        ),
        Change(
            "an accepted risk is not recorded",
            INIT,
            "insecure=arguments.insecure or None,",
            "insecure=None,",
            INIT_TESTS,
        ),
        Change(
            "a spoke's init pins a space that nobody named",
            INIT,
            'mark = "# " if config.mode == "spoke" and not is_named else ""',
            'mark = ""',
            INIT_TESTS,
        ),
        Change(
            "systemd replaces what is in a path",
            SYSTEMD,
            'return text.replace("%", "%%")',
            "return text",
            SYSTEMD_TESTS,
        ),
        Change(
            "a unit runs whatever is in PATH",
            SYSTEMD,
            "        return [beside]\n",
            '        return ["kioku"]\n',
            SYSTEMD_TESTS,
        ),
        Change(
            "a unit forgets where the stores lie",
            SYSTEMD,
            'if settings.sources["state_dir"] != "default":',
            "if False:",
            SYSTEMD_TESTS,
        ),
    ],
    "mesh-cli": [
        Change(
            "every save is news in the log",
            LOG,
            "LASTING_MS: Final = 3_000",
            "LASTING_MS: Final = 0",
            LOG_TESTS,
        ),
        Change(
            "progress is told at every look",
            LOG,
            "PROGRESS_MS: Final = 2_000",
            "PROGRESS_MS: Final = 0",
            LOG_TESTS,
        ),
        Change(
            "level is told at every look",
            LOG,
            "is_news = state.is_behind_told or not state.is_level_told",
            "is_news = True",
            LOG_TESTS,
        ),
        Change(
            "one who lacks something makes a hub be behind",
            LOG,
            "    if engine.is_ready or not any",
            "    if engine.is_level or not any",
            LOG_TESTS,
        ),
        Change(
            "a lost peer is passed over",
            LOG,
            "if has_called or (state.is_met and not peer.is_reachable):",
            "if has_called:",
            LOG_TESTS,
        ),
        Change(
            "a router is judged before it has spoken",
            LOG,
            "now_ms - self._connected_ms > BARE_AFTER_MS",
            "True",
            LOG_TESTS,
        ),
        Change(
            "every router is a replica",
            LOG,
            "    known = {status.identity}\n",
            "    known = {status.identity, *status.routers}\n",
            LOG_TESTS,
        ),
        Change(
            "a fork is told again and again",
            LOG,
            "    state.forks = len(engine.forks)\n",
            "",
            LOG_TESTS,
        ),
        Change(
            "a sync is level before it has compared",
            SYNC,
            "        if outcome.is_level and has_compared and not",
            "        if outcome.is_level and not",
            SYNC_TESTS,
        ),
        Change(
            "a sync is over while it compares",
            SYNC,
            "and has_compared and not outcome.is_comparing:",
            "and has_compared:",
            SYNC_TESTS,
        ),
        Change(
            "a sync gives up while something moves",
            SYNC,
            "            before, moved = progress, now\n",
            "            before = progress\n",
            SYNC_TESTS,
        ),
        Change(
            "a sync that reached nobody is done",
            SYNC,
            "    if not outcome.is_level:\n        raise",
            "    if not outcome.is_level and outcome.reached:\n        raise",
            MESH_TESTS,
        ),
        Change(
            "a mesh is ready while a node runs",
            STATUS,
            '"mesh_ready": engine is not None and engine.is_ready,',
            '"mesh_ready": engine is not None,',
            TOLD_TESTS,
        ),
        Change(
            "a stopped node is passed over",
            PEERS,
            "        return Leader(None, str(error))\n",
            "        return Leader(None)\n",
            TOLD_TESTS,
        ),
        Change(
            "a private space is shared",
            "kioku/cli/meshing.py",
            "found = {one.name for one in spaces_of(settings) if not one.is_private and",
            "found = {one.name for one in spaces_of(settings) if",
            MESH_TESTS,
        ),
        Change(
            "forgetting takes the first of several",
            PEERS,
            "    if len(found) > 1:\n",
            "    if False:\n",
            MEETING_TESTS,
        ),
        Change(
            "nobody can tell which of two laptops has not erased",
            PEERS,
            "if names.count(peer.name) == 1 else",
            "if True else",
            MEETING_TESTS,
        ),
        Change(
            "what may not be told to Zenoh is found when a node starts, and by no doctor",
            MESH,
            "                check_overrides({name: value})",
            "                pass",
            CONFIG_TESTS,
        ),
        Change(
            "nobody can tell in which of several spaces a machine was met",
            "kioku/cli/serving.py",
            "if self._is_shared and told.space else",
            "if False else",
            MESH_TESTS,
        ),
        Change(
            "who is alone knows that nothing is left",
            STATUS,
            "engine.events_left if is_reached else engine.events_left or None",
            "engine.events_left",
            TOLD_TESTS,
        ),
        Change(
            "a peer is known by any part of its log's id",
            PEERS,
            "(len(digits) >= ID_DIGITS_MIN and peer.log_id.startswith(digits))",
            "peer.log_id.startswith(digits)",
            MEETING_TESTS,
        ),
        Change(
            "a peer is known to have what others have erased",
            "kioku/memory/meeting.py",
            "if any(peer.log_id == wanted for peer in erasure.confirmed)",
            "if erasure.is_sealed",
            MEETING_TESTS,
        ),
        Change(
            "a change of this machine came from elsewhere",
            "kioku/cli/following.py",
            "[] if change.is_own else [",
            "[",
            TOLD_TESTS,
        ),
    ],
}
