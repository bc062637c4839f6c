"""``fertune data``."""

from __future__ import annotations

import argparse
import sys

from fertune.cli.grammar import DATA_HELP, Commands, add_command, output_options, read_options, take_read_options


def add(commands: Commands) -> None:
    p = add_command(
        commands,
        "data",
        "look at a data set, list and clear the cache of parsed ones",
        "  fertune data show fer2013.csv\n  fertune data show fer2013.csv -o data.html\n"
        "  fertune data cache\n  fertune data cache --clear fer2013\n",
    )
    verbs = p.add_subparsers(dest="verb", metavar="VERB", required=True)
    show = verbs.add_parser("show", help="counts, sizes, brightness, flat and identical pictures")
    show.add_argument("data", metavar="DATA", nargs="?", help=DATA_HELP)
    show.add_argument("-o", "--out", metavar="FILE", help="write an HTML page, with samples of each class")
    show.add_argument("--no-pictures", action="store_true", help="leave all pictures out of that page")
    read_options(show)
    output_options(show)
    cache = verbs.add_parser("cache", help="parsed data sets on disk")
    cache.add_argument(
        "--clear",
        nargs="*",
        metavar="NAME",
        help="remove those with these names, or all; a run that goes on needs its own",
    )
    output_options(cache)


def run(args: argparse.Namespace) -> int:
    return _show(args) if args.verb == "show" else _cache(args)


def _show(args: argparse.Namespace) -> int:
    from fertune.api.data import look_at_data
    from fertune.cli.printing import print_json, watching
    from fertune.console.data import show_data

    options = take_read_options(args)
    with watching(args) as observer:
        document = look_at_data(
            args.data, data_options=options, out=args.out, pictures=not args.no_pictures, observer=observer
        )
    if args.json:
        print_json(document)
    elif args.out:
        print(args.out)
    elif not args.quiet:
        show_data(document, stream=sys.stdout, given=options)
    return 0


def _cache(args: argparse.Namespace) -> int:
    from fertune.cli.printing import print_json
    from fertune.console.cache import cache_table, cleared_lines
    from fertune.data.cache import cache_root
    from fertune.data.shelf import clear, kept_data, total_bytes

    if args.clear is not None:
        cleared = clear(args.clear)
        if args.json:
            removed, locked = ([one.to_json() for one in part] for part in (cleared.removed, cleared.locked))
            print_json({"kind": "cache", "removed": removed, "locked": locked, "freed": cleared.freed})
        elif not args.quiet:
            cleared_lines(cleared, stream=sys.stdout)
        return 0
    kept = kept_data()
    if args.json:
        sets = [one.to_json() for one in kept]
        print_json({"kind": "cache", "folder": str(cache_root()), "data": sets, "bytes": total_bytes(kept)})
    elif args.quiet:
        print(cache_root())
    else:
        cache_table(kept, cache_root(), stream=sys.stdout)
    return 0
