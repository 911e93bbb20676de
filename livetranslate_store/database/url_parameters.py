"""The parameters of a database's URL: those that are taken, and what to write instead of the others."""

import re
from typing import NoReturn
from urllib.parse import unquote_to_bytes

#: The parameters that are taken.
TAKEN = (
    *("host", "port", "user", "password", "dbname", "application_name", "connect_timeout", "options"),
    *("sslmode", "ssl", "target_session_attrs", "client_encoding"),
)

# The parameters of libpq, and of other drivers and pools, that are often seen: what to do instead.
_INSTEAD = {
    name: advice
    for names, advice in (
        ("hostaddr", "write the IP address as the host"),
        ("database db", "write the database behind the host, or as dbname"),
        ("fallback_application_name", "write it as application_name"),
        ("passfile", "set the variable PGPASSFILE instead"),
        ("service servicefile", "write the entries of the service into the URL"),
        ("timeout pool_timeout", "set connection_timeout instead"),
        ("command_timeout statement_timeout", "set command_timeout instead"),
        ("connection_limit pool_size max_size", "set max_connections instead"),
        (
            "pgbouncer statement_cache_size prepared_statement_cache_size prepareThreshold",
            "if PgBouncer is in front of the server, set pgbouncer to true instead",
        ),
        ("sslrootcert", "set tls_ca_file instead (PGSSLROOTCERT for the older system)"),
        ("sslcert", "set tls_certificate_file instead (PGSSLCERT for the older system)"),
        ("sslkey", "set tls_key_file instead (PGSSLKEY for the older system)"),
        ("sslpassword", "store the key without a password, and set tls_key_file"),
        ("requiressl", "write sslmode=require"),
        (
            "channel_binding require_auth requirepeer",
            "the driver cannot check it: leave it out, and verify the server with sslmode=verify-full",
        ),
        (
            "schema currentSchema search_path",
            "the store's schema is always livetranslate; for your own tables write options=-csearch_path%3D…",
        ),
        (
            """
            gssencmode gssdelegation gsslib keepalives keepalives_count keepalives_idle keepalives_interval
            krbsrvname load_balance_hosts max_protocol_version min_protocol_version oauth_client_id
            oauth_client_secret oauth_issuer oauth_scope replication scram_client_key scram_server_key
            ssl_max_protocol_version ssl_min_protocol_version sslcertmode sslcompression sslcrl sslcrldir
            sslkeylogfile sslnegotiation sslsni tcp_user_timeout
            """,
            "it has no counterpart here: leave it out",
        ),
    )
    for name in names.split()
}

#: How to write what would be read as the end of a part.
ENCODED = "in a user, a password or a value write @ as %40, : as %3A, / as %2F, ? as %3F, & as %26, % as %25"

_UTF8 = ("utf8", "utf-8", "unicode", "auto")
_PRIMARY = ("primary", "read-write")


class RefusedError(Exception):
    """A part of the URL is refused; the message goes on after the name of the setting."""


def refuse(reason: str) -> NoReturn:
    """Refuse the URL for this reason, which repeats no value."""
    raise RefusedError(reason)


def decoded(text: str) -> str:
    """Return `text` without its percent-encoding, as strictly as libpq does."""
    if re.search("%(?![0-9A-Fa-f]{2})", text):
        refuse("has a % without two hexadecimal digits behind it: write % as %25")
    try:
        value = unquote_to_bytes(text).decode()
    except UnicodeDecodeError:
        refuse("has a percent-encoded part that is not UTF-8")
    if "\0" in value:
        refuse("has a %00, which no name and no password contains")
    return value


def parameters(query: str) -> dict[str, str]:
    """Return the parameters by name; those of several hosts or ports are joined with commas."""
    found: dict[str, str] = {}
    for each in filter(None, query.split("&")):
        name, mark, value = each.partition("=")
        if not mark:
            refuse(f"has a parameter without a value: {ENCODED}")
        name = _taken(decoded(name), is_secret="password" in found)
        if name not in found:
            found[name] = decoded(value)
        elif name in ("host", "port"):
            found[name] += f",{decoded(value)}"
        else:
            refuse(f"has the parameter {name} twice")
    _check(found)
    return found


def _taken(name: str, *, is_secret: bool) -> str:
    if name in TAKEN:
        return name
    if name in _INSTEAD:
        refuse(f"has the parameter {name}: {_INSTEAD[name]}")
    # Behind a password it may be a piece of it.
    shown = "" if is_secret or not re.fullmatch(r"[\w.-]{1,63}", name) else f" {name}"
    refuse(f"has an unknown parameter{shown}: known ones are {', '.join(TAKEN)}")


def _check(found: dict[str, str]) -> None:
    if found.get("target_session_attrs", "primary") not in _PRIMARY:
        refuse("has another target_session_attrs than primary: standbys are named in replica_urls")
    if found.get("client_encoding", "utf8").lower() not in _UTF8:
        refuse("has another client_encoding than UTF8, the only one of the driver: leave it out")
    if "sslmode" in found and "ssl" in found:
        refuse("has sslmode and ssl: write sslmode alone")
    if not re.fullmatch("0*[1-9][0-9]{0,5}", found.get("connect_timeout", "1")):
        refuse("has a connect_timeout that is no whole number of seconds from 1")
