# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# Blocks of the pages, which tests/docs.sh and tests/tutorial.sh read with '.'. The second word of a
# block's first line says what it is:
#
#   ```console runnable    commands behind '$ ', each with what it prints below it
#   ```console vmm         the same, where a VMM is there
#   ```yaml file=NAME      a file of the page's folder
#   ```yaml append=NAME    more of that file

# blocks_split PAGE FOLDER: FOLDER/LINE.WORD for each of them, in order
blocks_split()
{
    rm -rf "$2"
    mkdir "$2" || exit 1
    awk -v folder="$2" '
        /^```/ && inside { close(file); inside = 0; next }
        /^```[a-z]* (runnable|vmm|file=[A-Za-z0-9.-]*|append=[A-Za-z0-9.-]*) *$/ {
            file = sprintf("%s/%04d.%s", folder, NR, $2)
            inside = 1
            printf "" >file
            next
        }
        inside { print >file }' "$1"
}

# block_run BLOCK: its commands in this folder, each printed before what it prints
block_run()
{
    {
        echo 'status=0'
        awk '
            /^\$ / {
                command = substr($0, 3)
                quoted = $0
                gsub(/\047/, "\047\\\047\047", quoted)
                print "printf \"%s\\n\" \047" quoted "\047"
                print "(exit $status)"
                print command
                print "status=$?"
            }' "$1"
    } >"$1.script"
    sh "$1.script" 2>&1 </dev/null
}

# block_file BLOCK: writes the file that it is, or adds to it; false where it is none
block_file()
{
    case $1 in
    *.file=*) cat "$1" >"${1##*.file=}" ;;
    *.append=*) cat "$1" >>"${1##*.append=}" ;;
    *) return 1 ;;
    esac
}
