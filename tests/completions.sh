#!/bin/sh
# SPDX-License-Identifier: MIT
# Completions: what the program's help says, and, in each shell that is here, what it then offers.
# shellcheck disable=SC2016,SC2317,SC2329 # scripts of other shells; functions are called through check
# shellcheck source=tests/tap.sh
. "${srcdir:-.}/tests/tap.sh"

mkdir "$tmp/bin" "$tmp/files" || bail_out 'no room in the temporary directory'
ln -s "$SPMTOPO" "$tmp/bin/spmtopo"
: >"$tmp/files/one.yaml"
: >"$tmp/files/two words.yaml"
PATH=$tmp/bin:$PATH
export PATH
"$SPMTOPO" rules | awk '{ print $2 }' | LC_ALL=C sort >"$tmp/rules"
[ -s "$tmp/rules" ] || bail_out 'there are no rules'

drift()
{
    SPMTOPO=$SPMTOPO "$PYTHON" "$top/tools/completions.py" --check
}
check 'completions/ is what the help says' drift

# offered SHELL WORD...: what the shell offers for the last word, sorted
offered()
{
    shell=$1
    shift
    (
        cd "$tmp/files" || exit 1
        case $shell in
        bash)
            # Bash splits at "=".
            bash --norc -c '. "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _spmtopo
                [ "${#COMPREPLY[@]}" -eq 0 ] || printf "%s\n" "${COMPREPLY[@]}"' \
                bash "$top/completions/bash/spmtopo" "$@" ;;
        fish)
            fish --no-config -c 'source $argv[1]; complete -C "$argv[2]"' \
                "$top/completions/fish/spmtopo.fish" "$*" | cut -f 1 | sed 's/^.*=//' ;;
        zsh)
            # Without a terminal: what would be offered is what these are asked to.
            zsh -fc 'file=$1; shift
                compadd() { [[ $1 = -a ]] && print -rl -- ${(P)2} || { shift; print -rl -- "$@" } }
                _describe() { print -rl -- ${${(P)2}%%:*} }
                _files() { print -rl -- *(N) }
                _arguments() { specs=("$@") }
                words=("$@"); CURRENT=$#
                . $file
                last=${@[-1]}
                (( $+specs )) || exit
                for spec in $specs; do
                    case $spec in
                    (${last%%=*}(=|+|=-)\[*) action=${spec##*:} ;;
                    (\*:*|1:*) [[ $last = -* || -n $action ]] || action=${spec##*:} ;;
                    esac
                done
                case $action in
                (\(*\)) print -rl -- ${=${action#\(}%\)} ;;
                (_*) $action ;;
                esac' zsh "$top/completions/zsh/_spmtopo" "$@" ;;
        esac
    ) 2>&1 | LC_ALL=C sort -u >"$tmp/offered"
}

# offers SHELL "VALUES" WORD...
offers()
{
    values=$2
    offered_by=$1
    shift 2
    offered "$offered_by" "$@"
    # shellcheck disable=SC2086 # words
    printf '%s\n' $values | sed '/^$/d' | LC_ALL=C sort >"$tmp/wanted"
    same "$tmp/wanted" "$tmp/offered"
}

offers_rules()
{
    offered "$@"
    LC_ALL=C comm -23 "$tmp/rules" "$tmp/offered" >"$tmp/missing"
    same /dev/null "$tmp/missing" && ! grep -q '[^-a-z0-9]' "$tmp/offered"
}

offers_files()
{
    offered "$@"
    printf '%s\n' one.yaml 'two words.yaml' >"$tmp/wanted"
    same "$tmp/wanted" "$tmp/offered"
}

commands=$("$SPMTOPO" --help | awk '/^Commands:/ { inside = 1; next } inside && NF == 0 { exit } inside { print $1 }')
formats='text yaml svg dot'

has()
{
    command -v "$1" >/dev/null 2>&1
}

if has bash; then
    check 'bash: commands' offers bash "$commands --help --version" spmtopo ''
    check 'bash: commands that begin so' offers bash 'expect explain' spmtopo exp
    check 'bash: a value behind a word' offers bash "$formats" spmtopo show --format ''
    check 'bash: a value behind =' offers bash "$formats" spmtopo show --format =
    check 'bash: a value that begins so' offers bash 'svg' spmtopo show --format = s
    check 'bash: the values are of the command' offers bash 'sarif' spmtopo check --format = s
    check 'bash: options of the command alone' offers bash '--fragment --format= --firmware=' spmtopo gen --f
    check 'bash: rules' offers_rules bash spmtopo explain ''
    check 'bash: rules behind -W' offers_rules bash spmtopo check -W ''
    check 'bash: a rule not to report' offers bash 'no-mixed-node' spmtopo check -W no-mixed
    check 'bash: files' offers_files bash spmtopo check ''
    check 'bash: no file where there is none' offers bash '' spmtopo rules ''
else
    skip 'bash' 'there is no bash'
fi
if has zsh; then
    check 'zsh: commands' offers zsh "$commands" spmtopo ''
    check 'zsh: a value' offers zsh "$formats" spmtopo show --format=
    check 'zsh: rules' offers_rules zsh spmtopo explain ''
    check 'zsh: rules behind -W' offers_rules zsh spmtopo check -W
    check 'zsh: files' offers_files zsh spmtopo check ''
else
    skip 'zsh' 'there is no zsh'
fi
if has fish; then
    HOME=$tmp
    export HOME
    check 'fish: commands' offers fish "$commands" spmtopo ''
    check 'fish: a value' offers fish "$formats" spmtopo show --format=
    check 'fish: rules' offers_rules fish spmtopo explain ''
    check 'fish: files' offers_files fish spmtopo check ''
else
    skip 'fish' 'there is no fish'
fi
tap_end
