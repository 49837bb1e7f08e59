"""The data: from people's files, public sets and simulators to batches. Never imported by the model."""

from pathlib import Path

# Commands lie in inspect/ and answer to short names: python -m datamodules.check is datamodules/inspect/check.py
__path__.append(str(Path(__file__).parent / "inspect"))
