# Completion of kioku for fish. Nothing of the line or of an answer is evaluated here.

function __kioku_complete
    set -l answer (command kioku __complete fish (commandline -cp | string collect) 2>/dev/null </dev/null)
    if test (count $answer) -eq 0
        return
    end
    set -l how $answer[1]
    set -e answer[1]
    if test $how = files
        __fish_complete_path (commandline -ct)
    else if test (count $answer) -gt 0
        printf '%s\n' $answer
    end
end

complete -c kioku -f -k -a '(__kioku_complete)'
complete -c kioku-mesh -f -k -a '(__kioku_complete)'
