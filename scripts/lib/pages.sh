# shellcheck shell=bash
# Completions and man pages of the three programs, as the programs themselves print them. Sourced, with setup.sh.

# make_pages BIN DIR : completions of bash, zsh and fish, and a man page for each subcommand, below DIR as below a share
# folder. BIN has the programs, and they have to run here.
make_pages() {
    local bin=$1 share=$2 program
    mkdir -p "$share"/{bash-completion/completions,zsh/site-functions,fish/vendor_completions.d}
    for program in storage-server tuner profiler; do
        "$bin/$program" completions bash >"$share/bash-completion/completions/$program"
        "$bin/$program" completions zsh >"$share/zsh/site-functions/_$program"
        "$bin/$program" completions fish >"$share/fish/vendor_completions.d/$program.fish"
        "$bin/$program" man --out "$share/man/man1"
    done
}
