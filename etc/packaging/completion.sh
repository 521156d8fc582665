#!/bin/bash
# completion.sh zsh|fish PROGRAM: completion for that shell, on standard output,
# made of the lists that the one for bash has.
#
# What the argument of an option is: f file, d directory, c command, u user,
# p process, a word|word, n something else, nothing for none.

# shellcheck disable=SC2016
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
# bash is not interactive here: "complete" only registers
# shellcheck source=etc/bash-completion/usercrash
. "$here/bash-completion/usercrash"
# shellcheck source=etc/bash-completion/crashlogctl
. "$here/bash-completion/crashlogctl"

# options COMMAND: those of crashlogctl, each with its kind.
options()
{
	local option kind k
	# shellcheck disable=SC2046
	for option in $(_crashlogctl_options "$1"); do
		kind=
		[[ $option != -n || $1 == '' ]] || kind=n
		for k in $(_crashlogctl_kinds); do
			[[ ${k%%:*} != "$option" ]] || kind=${k#*:}
		done
		echo "$option:$kind"
	done
}

# fish PROGRAM CONDITION OPTION:KIND...
fish()
{
	local program=$1 condition=$2 option kind name
	shift 2
	for option; do
		kind=${option#*:} option=${option%%:*}
		case $option in
		--*) name="-l ${option#--}" ;;
		*) name="-s ${option#-}" ;;
		esac
		case $kind in
		'') ;;
		f) name="$name -r -F" ;;
		d) name="$name -x -a '(__fish_complete_directories)'" ;;
		c) name="$name -x -a '(complete -C \"\")'" ;;
		u) name="$name -x -a '(__fish_complete_users)'" ;;
		p) name="$name -x -a '(__fish_complete_pids)'" ;;
		n) name="$name -x" ;;
		*) name="$name -x -a '${kind//|/ }'" ;;
		esac
		echo "complete -c $program${condition:+ -n '$condition'} $name"
	done
}

# zsh OPTION:KIND...: specs of _arguments, a line each, and a backslash.
zsh()
{
	local option kind
	for option; do
		kind=${option#*:} option=${option%%:*}
		case $kind in
		'') printf "'%s' " "$option"; continue ;;
		f) kind=':file:_files' ;;
		d) kind=':directory:_directories' ;;
		c) kind=':command:_command_names' ;;
		u) kind=':user:_users' ;;
		p) kind=':process:_pids' ;;
		n) kind=':value: ' ;;
		*) kind=":value:(${kind//|/ })" ;;
		esac
		[[ $option != --* ]] || option=$option=
		printf "'%s%s' " "$option" "$kind"
	done
}

commands=$(_crashlogctl_commands | xargs)
# shellcheck disable=SC2046
case $1:$2 in
fish:crashlogctl)
	echo "complete -c crashlogctl -n __fish_use_subcommand -x -a '$commands'"
	fish crashlogctl '' $(options '')
	for command in $commands; do
		fish crashlogctl "__fish_seen_subcommand_from $command" \
		    $(options "$command")
	done
	;;
fish:*) fish "$2" '' $(_usercrash_options "$2") ;;
zsh:crashlogctl)
	echo '#compdef crashlogctl'
	echo "_arguments -C $(zsh $(options ''))'1:command:($commands)' \\"
	echo "    '*::argument:->argument'"
	echo '[[ $state == argument ]] || return'
	echo 'case $words[1] in'
	for command in $commands; do
		echo "$command) _arguments $(zsh $(options '') \
		    $(options "$command"))'*:which:_files' ;;"
	done
	echo 'esac'
	;;
zsh:*)
	echo "#compdef $2"
	echo "_arguments $(zsh $(_usercrash_options "$2"))'*:argument:_files'"
	;;
esac
