import pytest

from data_source_orchestrator.core.errors import FetchError
from data_source_orchestrator.web.hop import first_hop

CREDENTIALS = {"Authorization": "Bearer x", "Cookie": "s=1", "X-Api-Key": "k", "Host": "a.example", "X-Trace": "7"}


def redirected(
    location: str, *, url: str = "https://a.example/x?a=1", headers: dict[str, str] | None = None, status: int = 302
):
    return first_hop(url, None, headers).onward(status, {"location": location})


def test_parameters_are_added_to_those_the_address_has():
    hop = first_hop("https://a.example/x?a=1", {"weaponGames[]": ["mw2", "mw3"], "n": 2}, None)
    assert str(hop.url) == "https://a.example/x?a=1&weaponGames%5B%5D=mw2&weaponGames%5B%5D=mw3&n=2"


def test_userinfo_becomes_a_header_and_leaves_the_address():
    hop = first_hop("https://user:p%40ss@a.example/x", None, None)
    assert str(hop.url) == "https://a.example/x"
    assert hop.headers["authorization"] == "Basic dXNlcjpwQHNz"


def test_only_encodings_that_can_be_decoded_are_ever_asked_for():
    assert first_hop("https://a.example", None, {"accept-encoding": "br"}).headers.getall("Accept-Encoding") == [
        "gzip, deflate"
    ]


@pytest.mark.parametrize("url", ["a.example/x", "ftp://a.example/x", "http://", "/x", "", "http://[::", "file:///etc"])
def test_what_is_no_http_address_is_told_so(url: str):
    with pytest.raises(FetchError, match="begins with http:// or https://") as caught:
        first_hop(url, None, None)
    assert caught.value.kind == "client"


def test_parameters_that_cannot_be_sent_are_the_fetchers_bug():
    with pytest.raises(FetchError) as caught:
        first_hop("https://a.example/x?token=hunter2", {"a": object()}, None)
    assert caught.value.kind == "bug"
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("status", [200, 300, 304, 305, 404])
def test_only_the_five_redirects_are_redirects(status: int):
    assert redirected("/y", status=status) is None


@pytest.mark.parametrize(
    ("location", "target"),
    [
        ("/y?b=2#f", "https://a.example/y?b=2"),
        ("y", "https://a.example/y"),
        ("?c=3", "https://a.example/x?c=3"),
        ("//b.example/y", "https://b.example/y"),
        ("http://b.example", "http://b.example"),
        ("https://u:p@b.example/y", "https://b.example/y"),
    ],
)
def test_a_redirect_is_followed_relative_to_its_page(location: str, target: str):
    assert str(redirected(location).url) == target


@pytest.mark.parametrize("location", ["https://b.example/y", "http://a.example/y", "https://a.example:8443/y"])
def test_credentials_stay_behind_on_a_change_of_origin(location: str):
    hop = redirected(location, headers=CREDENTIALS)
    assert sorted(name.lower() for name in hop.headers) == ["accept-encoding", "x-trace"]


def test_credentials_go_along_within_an_origin():
    assert redirected("/y", headers=CREDENTIALS).headers["Authorization"] == "Bearer x"


@pytest.mark.parametrize("location", ["ftp://b.example/", "file:///etc/passwd", "javascript:alert(1)", "data:,x"])
def test_a_redirect_to_another_scheme_is_blocked(location: str):
    with pytest.raises(FetchError, match="only http and https") as caught:
        redirected(location)
    assert caught.value.kind == "blocked"


@pytest.mark.parametrize("location", ["", "http://[::", "http://"])
def test_a_redirect_to_nowhere_is_client(location: str):
    with pytest.raises(FetchError) as caught:
        redirected(location)
    assert caught.value.kind == "client"
