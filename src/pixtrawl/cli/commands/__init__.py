"""The commands of the shell, one file each: `add_parser(subparsers)` and `main(args)`."""
