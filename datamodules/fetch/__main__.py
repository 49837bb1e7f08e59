"""``python -m datamodules.fetch NAME|all --to DIR``; see datamodules/fetch/command.py."""

from datamodules.fetch.command import main

raise SystemExit(main())
