"""Redis, RabbitMQ and PostgreSQL from Debian's packages, on free loopback ports, each in a folder of its own."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from harness import install
from harness.processes import accepts, free_port, started

#: PostgreSQL refuses to run as root; as root, it runs as this user.
UNPRIVILEGED = "nobody"


@dataclass(frozen=True)
class Server:
    version: str
    port: int
    pids: list[int]


def install_redis() -> Path:
    return install.debian("redis-server")


@contextmanager
def redis(folder: Path, appendfsync: str) -> Iterator[Server]:
    root = install_redis()
    binary = install.program(root, "usr/bin/redis-server")
    env = {"LD_LIBRARY_PATH": install.libraries(root)}
    version = install.run(["env", f"LD_LIBRARY_PATH={env['LD_LIBRARY_PATH']}", binary, "--version"], folder)
    port = free_port()
    options = {
        "--bind": "127.0.0.1",
        "--port": str(port),
        "--dir": str(folder),
        "--appendonly": "yes",
        "--appendfsync": appendfsync,
        "--save": "",
        "--maxmemory-policy": "noeviction",
    }
    command = [binary, *(word for option in options.items() for word in option)]
    with started("redis", command, folder, ready=lambda: accepts(port), env=env) as process:
        yield Server("Redis " + version.partition("v=")[2].split()[0], port, [process.pid])


def install_rabbitmq() -> Path:
    root = install.debian("rabbitmq-server")
    # Erlang's start scripts know where they were to be installed.
    for script in [root / "usr/lib/erlang/bin/erl", *root.glob("usr/lib/erlang/erts-*/bin/erl")]:
        text = script.read_text()
        script.write_text(text.replace("ROOTDIR=/usr/lib/erlang\n", f"ROOTDIR={root}/usr/lib/erlang\n"))
    return root


@contextmanager
def rabbitmq(folder: Path) -> Iterator[Server]:
    root = install_rabbitmq()
    scripts = install.program(root, "usr/lib/rabbitmq/bin/rabbitmq-server").parent
    erlang = install.program(root, "usr/lib/erlang/bin/erl").parent
    epmd = install.program(root, "usr/bin/epmd", "usr/lib/erlang/bin/epmd")
    home = next((scripts.parent / "lib").glob("rabbitmq_server-*"))
    port, names, distribution = free_port(), free_port(), free_port()
    (folder / "rabbitmq").mkdir()
    (folder / "rabbitmq.conf").write_text(f"listeners.tcp.1 = 127.0.0.1:{port}\nloopback_users.guest = true\n")
    (folder / "advanced.config").write_text("[].\n")
    (folder / "enabled_plugins").write_text("[].\n")
    node = f"bench{port}@localhost"
    env = {
        "PATH": f"{erlang}:{os.environ['PATH']}",
        "LD_LIBRARY_PATH": install.libraries(root),
        "HOME": str(folder),
        "ERL_EPMD_PORT": str(names),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "RABBITMQ_HOME": str(home),
        "RABBITMQ_NODENAME": node,
        "RABBITMQ_DIST_PORT": str(distribution),
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
        "RABBITMQ_CONF_ENV_FILE": str(folder / "no-env.conf"),
        "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
        "RABBITMQ_ADVANCED_CONFIG_FILE": str(folder / "advanced.config"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
        "RABBITMQ_MNESIA_BASE": str(folder / "rabbitmq"),
        "RABBITMQ_LOG_BASE": str(folder / "rabbitmq"),
        "RABBITMQ_PID_FILE": str(folder / "rabbitmq/pid"),
    }
    with ExitStack() as stack:
        # Started here, or the server starts one that outlives it.
        command = [epmd, "-port", str(names), "-address", "127.0.0.1"]
        daemon = stack.enter_context(started("epmd", command, folder, ready=lambda: accepts(names), env=env))
        up = started("rabbitmq", [scripts / "rabbitmq-server"], folder, ready=lambda: accepts(port), env=env)
        process = stack.enter_context(up)
        yield Server("RabbitMQ " + home.name.partition("-")[2], port, [process.pid, daemon.pid])


def _postgres_programs() -> Path:
    """Where `postgres` and `initdb` are: the system's newest, or unpacked."""
    for root in (Path("/"), install.BUILD / "debian/root"):
        if found := sorted(root.glob("usr/lib/postgresql/*/bin/postgres")):
            return found[-1].parent
    root = install.debian("postgresql")
    return sorted(root.glob("usr/lib/postgresql/*/bin/postgres"))[-1].parent


def install_postgres() -> Path:
    return _postgres_programs()


@contextmanager
def postgres(folder: Path) -> Iterator[Server]:
    programs = install_postgres()
    user = UNPRIVILEGED if os.geteuid() == 0 else None
    data, sockets, port = folder / "data", folder / "sockets", free_port()
    for place in (data, sockets):
        place.mkdir(mode=0o700)
        if user:
            shutil.chown(place, user)
    log = folder / "postgres.log"
    made = ["--auth=trust", "--username=bench", "--encoding=UTF8", "--no-locale", "-D", str(data)]
    initdb = [programs / "initdb", *made]
    with started("initdb", initdb, folder, ready=lambda: (data / "postgresql.conf").exists(), user=user) as process:
        process.wait(60)
    options = {"listen_addresses": "127.0.0.1", "port": port, "unix_socket_directories": sockets}
    command = [programs / "postgres", "-D", str(data)]
    for key, value in options.items():
        command += ["-c", f"{key}={value}"]
    version = install.run([programs / "postgres", "--version"], folder).split()[2]
    env = {"LD_LIBRARY_PATH": install.libraries(install.BUILD / "debian/root")}

    def ready() -> bool:
        return accepts(port) and "ready to accept" in log.read_text(errors="replace")

    with started("postgres", command, folder, ready=ready, env=env, user=user) as process:
        yield Server(f"PostgreSQL {version}", port, [process.pid])
