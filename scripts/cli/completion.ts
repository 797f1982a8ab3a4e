/** Completion: each shell asks `stapes --complete` with the words so far, and shows its lines. */
import { own } from '../../shared/own.ts'

const SCRIPTS: Record<string, string> = {
  bash: `_stapes() {
  local IFS=$'\\n'
  COMPREPLY=($(stapes --complete "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _stapes stapes
`,
  zsh: `#compdef stapes
_stapes() {
  local -a found
  found=("\${(@f)$(stapes --complete "\${(@)words:1:$((CURRENT - 1))}" 2>/dev/null)}")
  compadd -- $found
}
compdef _stapes stapes
`,
  fish: `complete -c stapes -f -a '(stapes --complete (commandline -opc)[2..] (commandline -ct) 2>/dev/null)'
`,
}

export const SHELLS = Object.keys(SCRIPTS)

/** Null: it is no shell that is known. */
export const completionScript = (shell: string): string | null => own(SCRIPTS, shell) ?? null
