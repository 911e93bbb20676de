"""Addresses: every form of libpq is taken as libpq takes it, or refused by name with what to write."""

import asyncio
import re
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

from livetranslate_store import InvalidInputError, Store, StoreSettings
from livetranslate_store.cli.__main__ import main
from livetranslate_store.database.address import Address, Host
from livetranslate_store.database.connecting import migration_arguments, store_arguments
from livetranslate_store.database.hosts import HostFinder
from livetranslate_store.schema.upgrade import applied_revision, upgrade

SECRET = "hunter2"


def arguments(url: str) -> dict[str, object]:
    return Address.of(url).arguments()


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+asyncpg"])
def test_every_spelling_of_postgresql_will_do(scheme: str) -> None:
    assert arguments(f"{scheme}://app@db/x") == {
        "user": "app",
        "host": ["db"],
        "port": [None],
        "database": "x",
    }


@pytest.mark.parametrize(
    ("url", "hosts"),
    [
        ("postgresql://", []),
        ("postgresql:///x", []),
        ("postgresql://db", [("db", None)]),
        ("postgresql://db:/x", [("db", None)]),
        ("postgresql://db:6000/x", [("db", 6000)]),
        ("postgresql://a:1,b,c:3/x", [("a", 1), ("b", None), ("c", 3)]),
        ("postgresql://[::1]:6000/x", [("::1", 6000)]),
        ("postgresql://[fe80::1%25eth0]/x", [("fe80::1%eth0", None)]),
        ("postgresql://%2Frun%2Fpostgresql:6000/x", [("/run/postgresql", 6000)]),
        ("postgresql:///x?host=/run/postgresql&port=6000", [("/run/postgresql", 6000)]),
        ("postgresql://localhost:6000/x?host=/cloudsql/a:b:c", [("/cloudsql/a:b:c", 6000)]),
        ("postgresql:///x?host=a,b&port=1,2", [("a", 1), ("b", 2)]),
        ("postgresql:///x?host=a,b&port=1", [("a", 1), ("b", 1)]),
        ("postgresql:///x?host=a:1&host=b:2", [("a", 1), ("b", 2)]),
        ("postgresql:///x?host=::1&port=6000", [("::1", 6000)]),
        ("postgresql:///x?host=[::1]:6000", [("::1", 6000)]),
        ("postgresql://db_1.example.:6000/x", [("db_1.example.", 6000)]),
    ],
)
def test_hosts_are_names_addresses_and_sockets_with_their_ports(
    url: str, hosts: list[tuple[str, int | None]]
) -> None:
    assert Address.of(url).hosts == tuple(Host(*each) for each in hosts)


def test_a_port_without_a_host_stays() -> None:
    assert arguments("postgresql://:6000/x") == {"port": 6000, "database": "x"}


def test_parameters_go_before_the_rest_as_in_libpq() -> None:
    url = "postgresql://a:b@c:1/d?user=u&password=p&host=h&port=2&dbname=n"
    assert arguments(url) == {"user": "u", "password": "p", "host": ["h"], "port": [2], "database": "n"}


def test_white_space_around_a_url_is_no_part_of_it() -> None:
    assert Address.of(" postgresql://app@db/x\n") == Address.of("postgresql://app@db/x")


def test_the_other_parameters_have_their_place() -> None:
    chosen = StoreSettings(database_url="embedded:x")
    address = Address.of(
        "postgresql://db/x?application_name=bots&connect_timeout=3&options=-c%20geqo=off"
        "&sslmode=disable&target_session_attrs=read-write&client_encoding=UTF8"
    )
    for made in (store_arguments(address, chosen), migration_arguments(address, chosen)):
        assert made["timeout"] == 3.0
        assert made["ssl"] is False
        assert made["server_settings"]["application_name"] == "bots"
        assert made["server_settings"]["options"] == "-c geqo=off"
    assert address.needs_primary
    assert Address.of("postgresql://db/x?ssl=true").tls_mode == "require"


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("host=db user=app", "is a list such as host=… dbname=…: write it as postgresql"),
        ("mysql://db/x", "is of 'mysql'; it must be postgresql"),
        ("db/x", "is not a URL such as postgresql"),
        ("postgresql://::1/x", "write an IPv6 address in brackets"),
        ("postgresql://[db]/x", "brackets around a host that is no IPv6 address"),
        ("postgresql://db:99999/x", "a port that is no number from 1 to 65535"),
        ("postgresql://db:\u0665/x", "a port that is no number from 1 to 65535"),
        ("postgresql://db:0/x", "a port that is no number from 1 to 65535"),
        ("postgresql:///x?host=a,b&port=1,2,3", "2 hosts and 3 ports"),
        ("postgresql:///x?host=a:1&port=2", "ports in its hosts and as a parameter"),
        ("postgresql://a,,b/x", "an empty name among its hosts"),
        ("postgresql://a..b/x", "a host with an empty part"),
        ("postgresql://a#b/x", "a character that no host's name has"),
        ("postgresql:///x?host=%40abstract", "a socket is named by its folder"),
        ("postgresql://u:a@b@db/x", "write @ as %40"),
        ("postgresql://u:a/b@db/x", "/ as %2F"),
        ("postgresql://u:a?b@db/x", r"\? as %3F"),
        ("postgresql://u:50%@db/x", "write % as %25"),
        ("postgresql://u:%ff@db/x", "not UTF-8"),
        ("postgresql://u:%00@db/x", "has a %00"),
        ("postgresql://u:a b@db/x", "write a space as %20"),
        ("postgresql://u:a\u200bb@db/x", "an invisible character"),
        ("postgresql://db/x?user", "a parameter without a value"),
        ("postgresql://db/x?user=a&user=b", "the parameter user twice"),
        ("postgresql://db/x?sslmode=disable&ssl=true", "write sslmode alone"),
        ("postgresql://db/x?connect_timeout=soon", "no whole number of seconds"),
        ("postgresql://db/x?connect_timeout=0", "no whole number of seconds"),
        ("postgresql://db/x?target_session_attrs=standby", "standbys are named in replica_urls"),
        ("postgresql://db/x?client_encoding=LATIN1", "leave it out"),
        ("postgresql://db/x?hostaddr=::1", "the parameter hostaddr: write the IP address as the host"),
        ("postgresql://db/x?channel_binding=require", "the parameter channel_binding: .*sslmode=verify-full"),
        ("postgresql://db/x?pgbouncer=true", "the parameter pgbouncer: .*set pgbouncer to true"),
        ("postgresql://db/x?statement_cache_size=0", "the parameter statement_cache_size: .*set pgbouncer"),
        ("postgresql://db/x?sslrootcert=ca.pem", "the parameter sslrootcert: set tls_ca_file"),
        ("postgresql://db/x?loop=x", "an unknown parameter loop: known ones are host, "),
        ("postgresql://db/x?record_class=x", "an unknown parameter record_class"),
        ("postgresql://db/x?Sslmode=require", "an unknown parameter Sslmode"),
    ],
)
def test_every_other_form_is_refused_by_name_with_what_to_write_instead(url: str, message: str) -> None:
    with pytest.raises(InvalidInputError, match=f"^database_url .*{message}") as raised:
        Address.of(url)
    assert not raised.value.is_transient


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://u:{SECRET}",
        f"postgresql://u:{SECRET}/x@db/y",
        f"postgresql://u:1?{SECRET}=x@db/y",
        f"postgresql://db/y?password=a&{SECRET}=x",
        f"postgresql://db/y?password=a&{SECRET}",
        f"{SECRET}://u:{SECRET}://db",
        f"postgresql://u:{SECRET}%@db",
        f"postgresql://u@{SECRET}^/db",
        f"postgresql://u@db/?sslmode={SECRET}",
        f"postgresql://u@db/?connect_timeout={SECRET}",
    ],
)
def test_a_message_repeats_no_value(url: str) -> None:
    with pytest.raises(InvalidInputError) as raised:
        store_arguments(Address.of(url), StoreSettings(database_url=url))
    assert SECRET not in str(raised.value).replace(f"is of '{SECRET}'", "")


texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1)


@given(user=texts, password=texts, database=texts, folder=texts, port=st.integers(1, 65535))
def test_any_name_and_any_password_can_be_written(
    user: str, password: str, database: str, folder: str, port: int
) -> None:
    login = f"{quote(user, safe='')}:{quote(password, safe='')}"
    folder = "/" + folder.replace(",", "")
    place = quote(folder, safe="")
    query = (
        f"user={quote(user, safe='')}&password={quote(password, safe='')}&dbname={quote(database, safe='')}"
    )
    for url in (
        f"postgresql://{login}@{place}:{port}/{quote(database, safe='')}",
        f"postgresql:///?{query}&host={place}&port={port}",
    ):
        address = Address.of(url)
        assert address == Address((Host(folder, port),), None, user, password, database)
        assert str(address) == f"{folder}:{port}"
        assert repr(address) == repr(Address((Host(folder, port),), None, user, None, database))


odd = st.sampled_from(
    [
        "",
        "a",
        "é",
        "A+b",
        "a:b",
        "a=b",
        "a%2Fb",
        "%41",
        "a%40b",
        "%00",
        "%zz",
        "%",
        "a/b",
        "a@b",
        "a?b",
        "a#b",
        "a b",
    ]
)
places = st.sampled_from(
    [
        "",
        "db",
        "DB.example",
        "[::1]",
        "::1",
        "%2Frun",
        "@x",
        "a,b",
        "a,,b",
        "a_b",
        "[::1",
        "[db]",
        "%5B::1%5D",
    ]
)
ports = st.sampled_from(
    ["", ":", ":1", ":65535", ":65536", ":0", ":x", ":%31", ":1,b:2", ":1,b", ":-1", ":1:2"]
)
names = st.sampled_from(
    [
        *("host", "port", "user", "password", "dbname", "application_name", "options", "connect_timeout"),
        *("sslmode", "ssl", "service", "keepalives", "us%65r", "User", ""),
    ]
)
values = (
    odd
    | places
    | st.sampled_from(["1", "1,2", "/run", "a:1", "::1", "disable", "true", "-c a=b", "-c%20a%3Db"])
)
pairs = st.builds("{}={}".format, names, values) | odd
urls = st.builds(
    "postgresql://{}{}{}{}{}".format,
    st.just("") | st.builds("{}@".format, odd) | st.builds("{}:{}@".format, odd, odd),
    places,
    ports,
    st.just("") | st.builds("/{}".format, odd),
    st.just("") | st.lists(pairs, max_size=3).map(lambda found: "?" + "&".join(found)),
)
#: The names of libpq for what an address holds.
LIBPQ = {
    "user": "user",
    "password": "password",
    "dbname": "database",
    "application_name": "application_name",
    "options": "options",
}


@settings(max_examples=2000)
@given(urls)
def test_what_is_taken_is_taken_as_libpq_takes_it(url: str) -> None:
    try:
        address = Address.of(url)
    except InvalidInputError:
        return  # by name: no other error comes
    try:
        theirs = conninfo_to_dict(url)
    except ProgrammingError:
        return  # more is taken than by libpq, such as `=` in a value
    for name, ours in LIBPQ.items():
        assert (theirs.get(name) or None) == getattr(address, ours)
    if "host=a:1" not in url and url.count("host=") < 2:  # SQLAlchemy's forms
        # In a parameter libpq takes brackets for a part of the name.
        assert ",".join(each.name for each in address.hosts) == re.sub(
            r"[\[\]]", "", str(theirs.get("host", ""))
        )


@given(st.text())
def test_no_text_meets_another_error(text: str) -> None:
    for url in (text, f"postgresql://{text}"):
        with suppress(InvalidInputError):
            Address.of(url)


WRONG = f"postgresql://u:{SECRET}@db/x?loop=x"


async def test_a_wrong_address_is_the_same_error_in_the_library_and_its_migrations() -> None:
    with pytest.raises(InvalidInputError, match=r"^database_url has an unknown parameter loop"):
        async with Store.open(WRONG):
            pytest.fail("there is no such database")
    with pytest.raises(InvalidInputError, match=r"^replica_urls has an unknown parameter loop"):
        async with Store.open("postgresql://db/x", replica_urls=[WRONG]):
            pytest.fail("there is no such database")
    with pytest.raises(InvalidInputError, match=r"^database_url has an unknown parameter loop"):
        await asyncio.to_thread(upgrade, WRONG)
    with pytest.raises(InvalidInputError, match=r"^database_url has an unknown parameter loop"):
        await applied_revision(WRONG)


@pytest.mark.parametrize("command", [["check"], ["upgrade"], ["sessions"]])
def test_a_wrong_address_is_wrong_input_of_a_command(
    command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*command, "--database", WRONG]) == 2
    said = capsys.readouterr().err
    assert said.startswith("livetranslate-store: database_url has an unknown parameter loop")
    assert SECRET not in said


def test_options_have_no_way_through_pgbouncer() -> None:
    chosen = StoreSettings(database_url="embedded:x", pgbouncer=True)
    with pytest.raises(InvalidInputError, match="options, which PgBouncer does not pass on"):
        store_arguments(Address.of("postgresql://db/x?options=-cgeqo=off"), chosen)


@pytest.mark.parametrize(
    ("name", "value"), [("PGPORT", "many"), ("PGSSLMODE", "maybe"), ("PGTARGETSESSIONATTRS", "any one")]
)
async def test_a_wrong_variable_of_the_environment_is_wrong_input(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(InvalidInputError, match="The environment does not say how to connect"):
        await HostFinder().connect(
            host=[str(tmp_path)], port=[None], user="u", password="p", database="x", timeout=5.0
        )
