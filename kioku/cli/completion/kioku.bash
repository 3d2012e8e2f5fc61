# Completion of kioku for bash. Nothing of the line or of an answer is evaluated here.

_kioku_complete() {
    COMPREPLY=()
    local how="" candidate
    while IFS= read -r candidate; do
        if [ -z "$how" ]; then
            how=$candidate
        else
            COMPREPLY+=("$candidate")
        fi
    done < <(command kioku __complete bash "${COMP_TYPE-}" "$COMP_WORDBREAKS" \
        "${COMP_LINE:0:COMP_POINT}" 2>/dev/null </dev/null)
    case $how in
        files) compopt -o default 2>/dev/null ;;
        list) compopt -o nospace -o nosort 2>/dev/null ;;
        words) compopt -o nosort 2>/dev/null ;;
    esac
    return 0
}

complete -F _kioku_complete kioku kioku-mesh
