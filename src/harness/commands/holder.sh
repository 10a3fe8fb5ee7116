# Parent of one detached service: starts it, waits for its end, writes down how it ended.
#
# Needs a POSIX shell and nothing else; the words in the launch file name what else is run.
# Gets HARNESS_RUN_DIR, and descriptor 3 to report the start on. Every name begins with _hh_, and
# positional parameters hold the command, because the environment is the service's own.
#
#   launch  written before: _hh_dir _hh_in _hh_out _hh_err _hh_setup() and the command
#   status  what happened, a line each; whoever creates this file decides about the run
#             holder PID    this shell
#             started PID   the service; or
#             failed WHY    it could not be started
#             exit STATUS   how the service ended, as a shell shows it

_hh_run=$HARNESS_RUN_DIR
unset HARNESS_RUN_DIR
trap : HUP INT QUIT TERM # a handler, not "ignore": the service must not inherit it
trap '' PIPE              # nobody may be left to read the report
umask 077                # the service sets its own
set -C                   # `>` creates a file or fails, atomically

_hh_note() {
    echo "$1 $2" >>"$_hh_run/status"
}

_hh_fail() {
    _hh_note failed "$1"
    echo "failed $1" 2>/dev/null >&3
    exit 1
}

echo "holder $$" 2>/dev/null >"$_hh_run/status" || exit 0
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
    _hh_note started "$_hh_pid" || _hh_fail record
    echo "started $_hh_pid" 2>/dev/null >&3
    exec 3>&-
    trap - PIPE
    exec "$@"
)
_hh_status=$?
exec 3>&-
{
    read -r _hh_word
    read -r _hh_word _hh_rest
} <"$_hh_run/status"
[ "$_hh_word" != started ] || _hh_note exit "$_hh_status"
