"""`python -m convsight`: the same as the command `convsight`."""

from convsight.cli import main

if __name__ == "__main__":
    main()
