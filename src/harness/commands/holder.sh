# Parent of one detached service: starts it, waits for its end, writes down how it ended.
#
# Needs a POSIX shell and nothing else; the words in the launch file name what else is run.
# Gets HARNESS_RUN_DIR, and descriptor 3 to report the start on. Every name begins with _hh_, and
# positional parameters hold the command, because the environment is the service's own.
#
#   launch   written before: _hh_dir _hh_in _hh_out _hh_err _hh_setup() and the command
#   claim    pid of this shell; whoever creates this file decides about the run
#   started  pid of the service
#   failed   why the service could not be started
#   exit     its status as a shell shows it; complete when it ends with a newline

_hh_run=$HARNESS_RUN_DIR
unset HARNESS_RUN_DIR
trap : HUP INT QUIT TERM # a handler, not "ignore": the service must not inherit it
trap '' PIPE              # nobody may be left to read the report
set -C                   # `>` creates a file or fails, atomically

_hh_fail() {
    echo "$1" >"$_hh_run/failed"
    echo "failed $1" 2>/dev/null >&3
    exit 1
}

echo "$$" 2>/dev/null >"$_hh_run/claim" || exit 0
. "$_hh_run/launch"

(
    # In the foreground: a shell makes background commands ignore SIGINT and SIGQUIT.
    trap - HUP INT QUIT TERM
    cd -P /proc/self # the only way for a subshell to learn its pid without another program
    _hh_pid=${PWD##*/}
    cd -- "$_hh_dir" || _hh_fail directory
    command exec >>"$_hh_out" 2>>"$_hh_err" || _hh_fail output
    command exec <>"$_hh_in" || _hh_fail input
    _hh_setup || _hh_fail limits
    echo "$_hh_pid" >"$_hh_run/started" || _hh_fail record
    echo "started $_hh_pid" 2>/dev/null >&3
    exec 3>&-
    trap - PIPE
    exec "$@"
)
_hh_status=$?
exec 3>&-
[ ! -e "$_hh_run/started" ] || echo "$_hh_status" >"$_hh_run/exit"
