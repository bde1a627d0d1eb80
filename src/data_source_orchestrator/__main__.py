"""`python -m data_source_orchestrator` is the command `dso`."""

from data_source_orchestrator.cli import main

if __name__ == "__main__":
    main()
