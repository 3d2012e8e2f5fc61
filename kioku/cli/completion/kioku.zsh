#compdef kioku kioku-mesh
# Completion of kioku for zsh. Nothing of the line or of an answer is evaluated here.

_kioku() {
    emulate -L zsh
    local how="" line tab=$'\t'
    local -a values shown
    local -i width=0
    local typed="${(j: :)words[1,CURRENT-1]} ${compstate[quote]}$PREFIX"
    while IFS= read -r line; do
        if [[ -z $how ]]; then
            how=$line
            continue
        fi
        values+=("${line%%$tab*}")
        shown+=("${line#*$tab}")
        (( ${#values[-1]} > width )) && width=${#values[-1]}
    done < <(command kioku __complete zsh "$typed" 2>/dev/null </dev/null)
    local -i at
    local -a listing=()
    if [[ -n ${(j::)shown} ]]; then
        listing=(-l)
        for (( at = 1; at <= $#values; at++ )); do
            shown[at]="${(r:width:)values[at]}  ${shown[at]}"
        done
    else
        shown=("${values[@]}")
    fi
    # What may go on gets no space behind it; in quotes it must, or they would stay open.
    [[ $how == list && -z ${compstate[quote]} ]] && listing+=(-S '')
    case $how in
        files) _files ;;
        list | words) compadd -V kioku "${listing[@]}" -d shown -a values ;;
    esac
}

if [[ "${funcstack[1]}" == _kioku ]]; then
    _kioku "$@"
else
    compdef _kioku kioku kioku-mesh
fi
