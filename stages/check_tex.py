"""Stand for `stages.tex` under the name that earlier scripts have."""

from stages.tex import main

if __name__ == "__main__":
    main()
