"""``xlser docs``."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("docs")
@click.option(
    "--out", type=click.Path(path_type=Path), help="Build the site into this folder instead, and open nothing."
)
@click.option("--no-browser", is_flag=True, help="Do not open it: its address is printed.")
def command(out: Path | None, no_browser: bool) -> None:
    """Open the documentation, offline: guide, reference and results. Ctrl-C ends it.

    It is built when it is first asked for, with the extra docs, and kept in the cache folder; this machine alone can
    read it.
    """
    from xlser.cachefolder import cache_folder
    from xlser.cli.main import xlser
    from xlser.docs.opened import local_server
    from xlser.docs.site import build_site, cached_site

    if out:
        click.echo(build_site(out, xlser))
        return
    server, address = local_server(cached_site(cache_folder(), xlser).parent)
    click.echo(f"{address}  (Ctrl-C ends it)")
    if not no_browser:
        click.launch(address)
    with server:
        server.serve_forever()
