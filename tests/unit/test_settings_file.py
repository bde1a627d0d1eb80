"""What `dso.toml` accepts, and the one sentence for each thing that it does not."""

from pathlib import Path

import pytest

from data_source_orchestrator.core.errors import ConfigurationError
from data_source_orchestrator.settings import load

DURATION = 'give seconds as a number, or text such as "30s", "500ms", "2m" or "1h"'
LIMIT = "give more than 0 and at most 3600 seconds"
COUNT = "give a whole number of 0 or more"
ONE = "give a whole number of 1 or more"
ADDRESSES = 'give a list of addresses or networks such as ["127.0.0.1", "10.0.0.0/8"]'
SWITCH = "give true or false, without quotation marks"


def refusal(folder: Path, text: str) -> str:
    (folder / "dso.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError) as told:
        load(environ={}, folder=folder)
    return str(told.value)


@pytest.mark.parametrize(
    ("table", "line", "told"),
    [
        ("run", "timeout = 0", f"timeout is 0; {LIMIT}"),
        ("run", "timeout = -1", f"timeout is -1; {LIMIT}"),
        ("run", "timeout = nan", f"timeout is nan; {LIMIT}"),
        ("run", "timeout = inf", f"timeout is inf; {LIMIT}"),
        ("run", f"timeout = 1{'0' * 400}", f"timeout is 1{'0' * 59}…; give at most 3600 seconds"),
        ("run", 'timeout = "abc"', f"timeout is 'abc'; {DURATION}"),
        ("run", 'timeout = "-5s"', f"timeout is '-5s'; {LIMIT}"),
        ("run", 'timeout = "-1"', f"timeout is '-1'; {LIMIT}"),
        ("run", 'timeout = "--1"', f"timeout is '--1'; {DURATION}"),
        ("run", 'timeout = "0s"', f"timeout is '0s'; {LIMIT}"),
        ("run", f'timeout = "{"9" * 20}"', f"timeout is '{'9' * 20}'; {LIMIT}"),
        ("run", 'timeout = "2h"', f"timeout is '2h'; {LIMIT}"),
        ("run", "timeout = true", f"timeout is true; {DURATION}"),
        ("run", "timeout = [1]", f"timeout is [1]; {DURATION}"),
        ("run", "max_retries = -1", f"max_retries is -1; {COUNT}"),
        ("run", "max_retries = 1.5", f"max_retries is 1.5; {COUNT}"),
        ("run", "max_retries = nan", f"max_retries is nan; {COUNT}"),
        ("run", 'max_retries = "3"', f"max_retries is '3'; {COUNT}"),
        ("run", "max_retries = false", f"max_retries is false; {COUNT}"),
        ("run", "min_successful_sources = -1", f"min_successful_sources is -1; {COUNT}"),
        ("run", 'parallel_execution = "yes"', f"parallel_execution is 'yes'; {SWITCH}"),
        ("run", "fail_fast = 1", f"fail_fast is 1; {SWITCH}"),
        ("retry", "max_retries = -1", f"max_retries is -1; {COUNT}"),
        ("retry", "base_delay = -1", "base_delay is -1; give 0 or more and at most 3600 seconds"),
        (
            "retry",
            'jitter = "ful"',
            "jitter is 'ful'; give true, false or one of none, quarter, full, decorrelated; did you mean 'full'?",
        ),
        ("health", "down_after = 0", f"down_after is 0; {ONE}"),
        ("health", "recent_window = 1000", "recent_window is 1000; give a whole number from 1 to 100"),
        ("health", "recent_window = 0", "recent_window is 0; give a whole number from 1 to 100"),
        ("health", "slow_factor = 1", "slow_factor is 1; give a number above 1 and at most 3600"),
        ("health", "slow_factor = nan", "slow_factor is nan; give a number above 1 and at most 3600"),
        ("health", "slow_share = 80", "slow_share is 80; give a number from 0 to 1"),
        ("http", "max_body = 0", f"max_body is 0; {ONE}"),
        ("http", 'max_body = "32MB"', f"max_body is '32MB'; {ONE}"),
        ("http", "max_body = 1.5", f"max_body is 1.5; {ONE}"),
        ("http", "max_json_nodes = -1", f"max_json_nodes is -1; {ONE}"),
        ("http", "max_connections = true", f"max_connections is true; {ONE}"),
        (
            "http",
            "max_connections = 1_000_000_001",
            "max_connections is 1000000001; give a whole number from 1 to 1000000000",
        ),
        ("http", "max_json_depth = 0.5", "max_json_depth is 0.5; give a whole number from 1 to 500"),
        ("http", "max_redirects = -1", f"max_redirects is -1; {COUNT}"),
        ("http", "max_json_depth = 501", "max_json_depth is 501; give a whole number from 1 to 500"),
        ("http", 'connect_timeout = "0s"', f"connect_timeout is '0s'; {LIMIT}"),
        ("http", 'user_agent = "two\\nlines"', "user_agent is 'two\\nlines'; give one line of printable ASCII"),
        ("http", "user_agent = 5", "user_agent is 5; give one line of printable ASCII"),
        ("http", 'trusted = "10.0.0.1"', f"trusted is '10.0.0.1'; {ADDRESSES}"),
        ("http", "trusted = [10]", f"trusted is [10]; {ADDRESSES}"),
        (
            "http",
            'trusted = ["10.0.0.0/8", "intranet"]',
            "trusted holds 'intranet'; give addresses or networks, as '127.0.0.1' or '10.0.0.0/8'",
        ),
        ("store", 'data_dir = ""', "data_dir is ''; give the path of a folder"),
        ("store", "data_dir = 5", "data_dir is 5; give the path of a folder"),
        ("sources.x", 'priority = "high"', "priority is 'high'; give a whole number"),
        ("sources.x", "priority = true", "priority is true; give a whole number"),
        ("sources.x", "reliability = 95", "reliability is 95; give a number from 0 to 1"),
        ("sources.x.contract", "minimum_rows = -1", f"minimum_rows is -1; {COUNT}"),
        ("sources.x", "attempt_timeout = 0", f"attempt_timeout is 0; {LIMIT}"),
        (
            "sources.x",
            'update_frequency = "dayly"',
            "update_frequency is 'dayly'; give one of realtime, hourly, daily, weekly, monthly; did you mean 'daily'?",
        ),
        ("sources.x", "breaker = 5", "breaker is 5; give a table"),
        ("sources.x.breaker", "failures = 0", f"failures is 0; {ONE}"),
        ('sources."a.b"', "max_retries = -1", f"max_retries is -1; {COUNT}"),
    ],
)
def test_d08_d27_d37_a_bad_value_is_told_with_its_place_and_what_is_accepted(
    tmp_path: Path, table: str, line: str, told: str
):
    assert refusal(tmp_path, f"[{table}]\n{line}") == f"file dso.toml [{table}] {told}"


@pytest.mark.parametrize(("value", "meant"), [("30000", "30"), ("60_000", "60"), ('"30000"', "30"), ('"5000s"', "5")])
def test_a_timeout_in_milliseconds_is_refused_with_the_seconds_that_were_meant(tmp_path: Path, value: str, meant: str):
    told = refusal(tmp_path, f"[run]\ntimeout = {value}")
    assert told.startswith("file dso.toml [run] timeout is ")
    assert told.endswith(f"the unit is seconds; did you mean {meant}?")


@pytest.mark.parametrize(
    ("value", "held"),
    [("30", 30), ("0.5", 0.5), ('"30s"', 30), ('"500ms"', 0.5), ('"2m"', 120), ('"1h"', 3600), ('" 1.5 S "', 1.5)],
)
def test_a_duration_is_seconds_or_text_with_its_unit(tmp_path: Path, value: str, held: float):
    (tmp_path / "dso.toml").write_text(f"[run]\ntimeout = {value}", encoding="utf-8")
    assert load(environ={}, folder=tmp_path).run.timeout == held


@pytest.mark.parametrize(
    ("value", "held"), [("true", "quarter"), ("false", "none"), ('"decorrelated"', "decorrelated")]
)
def test_jitter_is_a_switch_or_a_word(tmp_path: Path, value: str, held: str):
    (tmp_path / "dso.toml").write_text(f"[retry]\njitter = {value}\nbase_delay = 0", encoding="utf-8")
    assert load(environ={}, folder=tmp_path).retry == load(environ={}, folder=tmp_path).retry
    assert load(environ={}, folder=tmp_path).retry.jitter == held


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[run]\nmax_retires = 2", "[run] max_retires (= 2) is not a known setting; did you mean 'max_retries'?"),
        ("[sources.x]\ntime_out = 2", "[sources.x] time_out (= 2) is not a known setting; did you mean 'timeout'?"),
        (
            "[sources.x.breaker]\nfailure = 2",
            "[sources.x.breaker] failure (= 2) is not a known setting; did you mean 'failures'?",
        ),
        ("[retries]", "[retries] is not a known table; did you mean 'retry'?"),
        ("[sorces.x]\npriority = 1", "[sorces] is not a known table; did you mean 'sources'?"),
        ("timeout = 3", "timeout (= 3) is not a known setting; did you mean [run] timeout?"),
        ("[run]\nbase_delay = 3", "[run] base_delay (= 3) is not a known setting; did you mean [retry] base_delay?"),
        ("[store]\ncolour = 3", "[store] colour (= 3) is not a known setting; there are data_dir"),
        (
            "[wall]",
            (
                "[wall] is not a known table;"
                " there are plugins, run, retry, health, gate, freshness, http, limits, hosts, store, sources"
            ),
        ),
        (
            "config = 'x'",
            (
                "config (= 'x') is not a known setting;"
                " there are plugins, run, retry, health, gate, freshness, http, limits, hosts, store, sources"
            ),
        ),
    ],
)
def test_an_unknown_key_is_told_with_the_nearest_right_one(tmp_path: Path, text: str, told: str):
    assert refusal(tmp_path, text) == f"file dso.toml {told}"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("run = 5", "run is 5; give a table"),
        ("sources = []", "sources is []; give a table"),
        ("[[run]]", "run is an array of tables; give a table"),
        ("sources.x = 1", "[sources] x is 1; give a table"),
        ("[run.timeout]\na = 1", f"[run.timeout] is a table; {DURATION}"),
        ("[run.timeout]", f"[run.timeout] is a table; {DURATION}"),
        ('plugins = "cod"', "plugins is 'cod'; give a list of names such as [\"cod\"], or [] for none"),
        ("plugins = [1]", 'plugins is [1]; give a list of names such as ["cod"], or [] for none'),
    ],
)
def test_a_value_of_the_wrong_shape_is_told_with_the_right_one(tmp_path: Path, text: str, told: str):
    assert refusal(tmp_path, text) == f"file dso.toml {told}"


def test_a_table_that_is_none_is_told_even_where_the_environment_sets_one_of_its_keys(tmp_path: Path):
    (tmp_path / "dso.toml").write_text("run = 5", encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"^file dso.toml run is 5; give a table$"):
        load(environ={"DATA_ORCHESTRATOR_TIMEOUT_MS": "1000"}, folder=tmp_path)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "[retry]\njitter = true\nbase_delay = 20",
            "[retry] base_delay: base_delay is 20.0 and max_delay 10.0; give a max_delay that is at least base_delay",
        ),
        (
            "[health]\ndegraded_after = 2\ndown_after = 1",
            (
                "[health] degraded_after and file dso.toml [health] down_after: health.degraded_after is 2 and"
                " health.down_after 1; give a down_after that is at least degraded_after"
            ),
        ),
        (
            "[health]\nrecent_failures = 20",
            (
                "[health] recent_failures: health.recent_failures is 20 and health.recent_window 10: so many cannot"
                " fail of so few; give a recent_window that is at least recent_failures"
            ),
        ),
    ],
)
def test_values_that_are_good_alone_and_bad_together_are_told_with_both_places(tmp_path: Path, text: str, told: str):
    assert refusal(tmp_path, text) == f"file dso.toml {told}"


def test_several_mistakes_are_all_told_one_to_a_line(tmp_path: Path):
    told = refusal(tmp_path, "[run]\ntimeout = 0\nmax_retires = 1\n[store]\ndata_dir = 1")
    assert [line.split(" ")[2:4] for line in told.split("\n")] == [
        ["[run]", "timeout"],
        ["[run]", "max_retires"],
        ["[store]", "data_dir"],
    ]


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("[run]\ntimeout = \n", 2, 11),
        ("[run\n", 1, 5),
        ("a = 1\nb = 2\na = 3", 3, 6),
        ("[run]\ntimeout", 2, 8),
        ("x = '''\nopen", 2, 5),
        ("[run]\n[run]", 2, 5),
    ],
)
def test_a_file_that_is_not_toml_is_told_with_line_and_column(tmp_path: Path, text: str, line: int, column: int):
    told = refusal(tmp_path, text)
    assert told.startswith(f"file dso.toml, line {line}, column {column}: this is not TOML (")
    assert "\n" not in told


@pytest.mark.parametrize("text", ["a = " + "[" * 5000, "a = " + "9" * 5000])
def test_a_monstrous_file_is_one_sentence(tmp_path: Path, text: str):
    told = refusal(tmp_path, text)
    assert told.startswith("file dso.toml")
    assert len(told) < 300


def test_a_file_that_is_not_utf8_is_one_sentence(tmp_path: Path):
    (tmp_path / "dso.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigurationError, match=r"^file dso.toml is not UTF-8 text; save it in that encoding$"):
        load(environ={}, folder=tmp_path)


def test_a_file_that_an_editor_marked_as_utf8_is_read(tmp_path: Path):
    (tmp_path / "dso.toml").write_text("[run]\r\ntimeout = 5\r\n", encoding="utf-8-sig")
    assert load(environ={}, folder=tmp_path).run.timeout == 5


def test_the_default_file_may_be_absent(tmp_path: Path):
    assert load(environ={}, folder=tmp_path).origins == {}


def test_a_folder_in_the_files_place_is_one_sentence(tmp_path: Path):
    (tmp_path / "dso.toml").mkdir()
    with pytest.raises(ConfigurationError, match=r"^file dso.toml cannot be read: Is a directory; give a file"):
        load(environ={}, folder=tmp_path)


@pytest.mark.parametrize("endless", ["/dev/zero", "/dev/full"])
def test_a_file_that_never_ends_is_one_sentence(tmp_path: Path, endless: str):
    if not Path(endless).exists():
        pytest.skip(f"there is no {endless} here")
    with pytest.raises(ConfigurationError, match="holds more than 1000000 bytes, which no settings do; give another"):
        load(environ={}, folder=tmp_path, config=Path(endless))


def test_a_link_that_leads_nowhere_is_no_absent_file(tmp_path: Path):
    (tmp_path / "dso.toml").symlink_to(tmp_path / "gone.toml")
    with pytest.raises(
        ConfigurationError, match=r"^file dso.toml is a link that leads nowhere; mend it, or remove it$"
    ):
        load(environ={}, folder=tmp_path)


def test_a_named_file_must_exist_and_the_error_says_who_named_it(tmp_path: Path):
    accepted = "does not exist; give the path of a settings file (TOML)"
    with pytest.raises(ConfigurationError) as by_flag:
        load(environ={}, folder=tmp_path, config=Path("gone.toml"))
    assert str(by_flag.value) == f"file gone.toml, given by --config, {accepted}"
    with pytest.raises(ConfigurationError) as by_variable:
        load(environ={"DSO_CONFIG": "gone.toml"}, folder=tmp_path)
    assert str(by_variable.value) == f"file gone.toml, given by variable DSO_CONFIG, {accepted}"


def test_a_named_file_stands_in_for_the_default_one_and_the_flag_outdoes_the_variable(tmp_path: Path):
    for name, seconds in (("dso.toml", 1), ("variable.toml", 2), ("flag.toml", 3)):
        (tmp_path / name).write_text(f"[run]\ntimeout = {seconds}", encoding="utf-8")
    environ = {"DSO_CONFIG": "variable.toml"}
    assert load(environ=environ, folder=tmp_path).run.timeout == 2
    by_flag = load(environ=environ, folder=tmp_path, config=tmp_path / "flag.toml")
    assert by_flag.run.timeout == 3
    assert by_flag.origins == {"run.timeout": f"file {tmp_path / 'flag.toml'} [run] timeout"}
