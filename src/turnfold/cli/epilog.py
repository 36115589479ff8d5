"""What ``turnfold --help`` says after the options."""

from __future__ import annotations

EPILOG = """\
other commands:
  turnfold list [--json]      the conversations that are kept, the last one first
  turnfold show ID [--json]   one of them, to read (or its events as JSON Lines)
  turnfold models [PATTERN]   which model would be used and why, and the models that are known (--all, --json)
  turnfold trace ID [TURN]    what happened in it, with times and tokens (--json: a turn a line, as data)
  turnfold import gptme       take over gptme's config and conversations; says what it could not take
  turnfold doctor             what turnfold found on this machine, and which model it would use
  turnfold config ACTION      the settings: show, explain KEY, paths, check, edit, schema, trust

  Without a prompt, on a terminal, turnfold reads what is to be done line by line; so does  turnfold --resume.
  A prompt that is one of these words alone goes after --:  turnfold -- list
  A prompt that starts with / is a command, such as  turnfold '/shell ls'  or  turnfold /help;  a space before the / makes it text.

  Standard input, when it is no terminal, is read as context:  git diff | turnfold "review this"

permission:
  Reading in the workspace needs none. Everything else is shown first and asked for on the terminal, unless --yes is given or a rule
  of config.toml allows it. With no terminal (or with --json) the question stays open, and the command ends with exit code 3.

settings:
  config.toml in the config folder (turnfold doctor says where), turnfold.toml in the workspace or above, and TURNFOLD_MODEL,
  TURNFOLD_TEMPERATURE, TURNFOLD_MAX_TOKENS, TURNFOLD_TOOLS, TURNFOLD_TOOL_FORMAT, TURNFOLD_INSTRUCTIONS; TURNFOLD_HOME moves all folders.

exit codes:
  0 done · 1 failed · 2 wrong arguments or config · 3 waits for permission · 4 limit reached · 130 interrupted
"""
