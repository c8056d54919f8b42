#include "cli/completion.h"

namespace ganglion::cli {
namespace {

std::string joined(const std::vector<std::string>& words, std::string_view between = " ") {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : std::string(between)) + word;
  return text;
}

// The text between the quotes of a single-quoted word, in every one of these shells (descriptions hold no
// backslash).
std::string quoted(std::string_view text, std::string_view quote_escape) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string(quote_escape) : std::string(1, c);
  return out + "'";
}

std::string first_sentence(const std::string& about) {
  return about.substr(0, about.find_first_of(".:;"));
}

// What may stand after a command: its subcommands and choices, or its options.
std::string candidates(const CommandSpec& spec) {
  std::vector<std::string> words = spec.subcommands;
  words.insert(words.end(), spec.choices.begin(), spec.choices.end());
  words.insert(words.end(), spec.options.begin(), spec.options.end());
  return joined(words);
}

std::string bash_script(const std::vector<CommandSpec>& specs) {
  std::string script =
      "_ganglion() {\n"
      "  local current=${COMP_WORDS[COMP_CWORD]} command= word words=\n"
      "  for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
      "    case \"${command:+$command }$word\" in\n";
  for (const CommandSpec& spec : specs) {
    if (!spec.words.empty())
      script +=
          "      " + quoted(joined(spec.words), "'\\''") + ") command=\"${command:+$command }$word\" ;;\n";
  }
  script +=
      "    esac\n"
      "  done\n"
      "  case \"$command\" in\n";
  for (const CommandSpec& spec : specs) {
    script += "    " + quoted(joined(spec.words), "'\\''") + ") words=" + quoted(candidates(spec), "'\\''") +
              " ;;\n";
  }
  script +=
      "  esac\n"
      "  COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n"
      "}\n"
      "complete -o default -F _ganglion ganglion\n";
  return script;
}

std::string zsh_script(const std::vector<CommandSpec>& specs) {
  std::string script =
      "#compdef ganglion\n"
      "_ganglion() {\n"
      "  local command= word\n"
      "  for word in \"${(@)words[2,CURRENT-1]}\"; do\n"
      "    case \"${command:+$command }$word\" in\n";
  for (const CommandSpec& spec : specs) {
    if (!spec.words.empty())
      script +=
          "      " + quoted(joined(spec.words), "'\\''") + ") command=\"${command:+$command }$word\" ;;\n";
  }
  script +=
      "    esac\n"
      "  done\n"
      "  case \"$command\" in\n";
  for (const CommandSpec& spec : specs) {
    script += "    " + quoted(joined(spec.words), "'\\''") + ") compadd -- " + candidates(spec) + " ;;\n";
  }
  script +=
      "  esac\n"
      "  _files\n"
      "}\n"
      "compdef _ganglion ganglion\n";
  return script;
}

std::string fish_script(const std::vector<CommandSpec>& specs) {
  std::string script =
      "function __ganglion_command\n"
      "  set -l command\n"
      "  for word in (commandline -opc)[2..-1]\n"
      "    switch (string join ' ' $command $word)\n";
  for (const CommandSpec& spec : specs) {
    if (!spec.words.empty())
      script += "      case " + quoted(joined(spec.words), "\\'") + "\n        set command $command $word\n";
  }
  script +=
      "    end\n"
      "  end\n"
      "  string join ' ' $command\n"
      "end\n";
  for (const CommandSpec& spec : specs) {
    const std::string condition =
        "complete -c ganglion -n \"test (__ganglion_command) = '" + joined(spec.words) + "'\"";
    for (const std::string& name : spec.subcommands) {
      std::string about;
      for (const CommandSpec& other : specs) {
        auto path = spec.words;
        path.push_back(name);
        if (other.words == path) about = first_sentence(other.about);
      }
      script += condition + " -f -a " + name + " -d " + quoted(about, "\\'") + "\n";
    }
    for (const std::string& choice : spec.choices) script += condition + " -f -a " + choice + "\n";
    for (const std::string& option : spec.options) {
      script += condition +
                (option.starts_with("--") ? " -l " + option.substr(2) : " -s " + option.substr(1)) + "\n";
    }
  }
  return script;
}

}  // namespace

std::string completion_script(std::string_view shell, const std::vector<CommandSpec>& specs) {
  if (shell == "zsh") return zsh_script(specs);
  if (shell == "fish") return fish_script(specs);
  return bash_script(specs);
}

}  // namespace ganglion::cli
