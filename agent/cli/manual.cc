#include "agent/cli/manual.h"

#include <cctype>
#include <string_view>

#include "agent/cli/command.h"
#include "agent/cli/help.h"
#include "agent/cli/version.h"
#include "agent/settings/prose.h"
#include "agent/settings/table.h"

namespace agent::cli {
namespace {

using std::string_view;

constexpr string_view kDescription = R"(.SH DESCRIPTION
Runs beside a batch job, hears from it what it does, and says how far it is, how fast it goes, when it
will be ready, what it costs, and what goes wrong.
That is served to Prometheus, to a browser, and to other programs.
.PP
Events are lines of JSON.
They are taken from a Unix socket, and by HTTP from this machine.
Metrics, a page and a read-only API are served on another port, which others may reach.
.PP
Without a command the agent runs, as with
.BR serve .
)";

constexpr string_view kSettingsIntroduction = R"(.SH SETTINGS
Each is a flag, an environment variable, and (without the dashes and with _ for \-) a key of the
configuration file.
The flag wins over the environment, the environment over the file, the file over the default.
Lists in flags and variables are separated by commas.
)";

constexpr string_view kFileKeysIntroduction = R"(.SH KEYS OF THE FILE
These have a part that the user chooses, or are lists, and are for the configuration file only.
)";

constexpr string_view kRest = R"(.SH SIGNALS
.TP
.BR SIGTERM ", " SIGINT
The agent says that it is not ready, drains its connections, and stays until every scraper has the final
values or \fB\-\-shutdown.linger\fR is over.
A second one ends the wait.
.TP
.B SIGHUP
Reads the configuration again.
An invalid one is refused, and the old one stays.
.SH EXIT STATUS
.TP
.B 0
Done; stopped as it should.
.TP
.B 1
A fault while running: an address in use, a file that cannot be read or written, a configuration file that
.B check\-config
finds faults in.
.TP
.B 2
Wrong usage, or an invalid configuration: nothing was started.
.PP
.B run
ends as the command did.
.SH ENVIRONMENT
Besides the variables of the settings:
.TP
.BR NOTIFY_SOCKET ", " WATCHDOG_USEC
As systemd sets them: it is told when the agent is ready, reloads and stops, and that its event loop is alive.
.TP
.B NO_COLOR
.B top
shows no colours.
.SH FILES
.TP
.I /run/progress\-agent/agent.sock
The Unix socket that takes events, unless \fB\-\-ingest.socket\fR says otherwise.
.SH SEE ALSO
.BR prometheus (1),
.BR promtool (1),
.BR systemd.service (5)
)";

// Text as roff takes it: nothing in it is a request, and its dashes can be copied.
std::string escaped(string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else {
      if ((c == '.' || c == '\'') && (out.empty() || out.back() == '\n')) out += "\\&";
      out += c;
    }
  }
  return out;
}

// A paragraph, on lines as an editor shows them.
std::string paragraph(string_view prose) {
  constexpr std::size_t kColumns = 100;
  std::string out;
  for (const std::string& line : settings::wrap(prose, kColumns)) out += escaped(line) + "\n";
  return out;
}

// The tables' phrases as sentences.
std::string sentence(string_view phrase) {
  std::string out(phrase);
  out[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(out[0])));
  return out.ends_with('.') ? out : out + ".";
}

// An entry of a list. `term` is shown bold, `value` behind it as a placeholder.
std::string entry(string_view term, string_view value = "") {
  std::string out = ".TP\n\\fB" + escaped(term) + "\\fR";
  if (!value.empty()) out += "=\\fI" + escaped(value) + "\\fR";
  return out + "\n";
}

std::string options_of(const Command& command) {
  std::string out;
  for (const Option& option : command.options) {
    out += entry(option.name, option.value) + paragraph(sentence(option.help));
    if (!option.standard.empty()) out += "Default: \\fB" + escaped(option.standard) + "\\fR.\n";
  }
  return out;
}

std::string section_of(const Command& command) {
  std::string out = ".SS " + escaped(command.name) + "\n\\fB" + escaped(usage_of(command)) +
                    "\\fR\n.PP\n" + paragraph(sentence(command.summary));
  if (!command.remarks.empty()) out += ".PP\n.EX\n" + escaped(command.remarks) + ".EE\n";
  return out + options_of(command);
}

std::string default_line(const settings::Row& row) {
  const std::string standard = settings::default_of(row);
  return standard.empty() ? "" : "Default: \\fB" + escaped(standard) + "\\fR.\n";
}

std::string meaning_of(const settings::Row& row) {
  const std::string range = settings::range_of(row);
  const bool says_much = !range.empty() && row.range.greatest < 1e9;
  return paragraph(std::string(row.help) + (says_much ? " (" + range + ")" : ""));
}

std::string settings_with_flags() {
  std::string out(kSettingsIntroduction);
  string_view section;
  for (const settings::Row& row : settings::rows()) {
    if (!settings::has_flag(row)) continue;
    const string_view own = row.key.substr(0, row.key.find('.'));
    if (own != section)
      out += ".SS " + escaped(own) + "\n" + paragraph(settings::section_help(own));
    section = own;
    out += entry(settings::flag_of(row), settings::is_switch(row) ? "" : settings::type_of(row)) +
           meaning_of(row) + default_line(row) + ".br\nEnvironment: \\fB" +
           escaped(settings::variable_of(row)) + "\\fR\n";
  }
  return out;
}

std::string settings_of_the_file() {
  std::string out(kFileKeysIntroduction);
  for (const settings::Row& row : settings::rows()) {
    if (settings::has_flag(row)) continue;
    out += entry(row.key) + meaning_of(row) + default_line(row);
  }
  return out;
}

}  // namespace

std::string manual() {
  std::string out =
      ".\\\" Written by `progress-agent docs man`.\n.TH PROGRESS\\-AGENT 1 \"\" \"" +
      escaped("progress-agent " + std::string(version())) + "\"\n.SH NAME\n" +
      "progress\\-agent \\- progress, ETAs and alerts of batch jobs, for Prometheus\n" +
      ".SH SYNOPSIS\n\\fBprogress\\-agent\\fR [\\fICOMMAND\\fR] [\\fIFLAG\\fR...]\n" +
      std::string(kDescription) + ".SH COMMANDS\n";
  for (const Command& command : commands()) out += section_of(command);
  return out + settings_with_flags() + settings_of_the_file() + std::string(kRest);
}

}  // namespace agent::cli
