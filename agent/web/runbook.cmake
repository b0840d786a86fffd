# The runbook: its part of alerts/README.md as a page, compiled into agent_web (page.h). Of Markdown
# it knows what stands there: headings, bold, code, and paragraphs of one line.

set(RUNBOOK_SOURCE ${CMAKE_SOURCE_DIR}/alerts/README.md)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${RUNBOOK_SOURCE})
file(READ ${RUNBOOK_SOURCE} TEXT)
string(FIND "${TEXT}" "## Runbook\n" BEGIN)
if(BEGIN LESS 0)
  message(FATAL_ERROR "${RUNBOOK_SOURCE} has no section 'Runbook'")
endif()
string(SUBSTRING "${TEXT}" ${BEGIN} -1 TEXT)
string(REPLACE "&" "&amp;" TEXT "${TEXT}")
string(REPLACE "<" "&lt;" TEXT "${TEXT}")
string(REPLACE ">" "&gt;" TEXT "${TEXT}")
string(REGEX REPLACE "`([^`\n]+)`" "<code>\\1</code>" TEXT "${TEXT}")
string(REGEX REPLACE "\\*\\*([^*\n]+)\\*\\*" "<strong>\\1</strong>" TEXT "${TEXT}")
string(REGEX REPLACE "\n([^#\n][^\n]*)" "\n<p>\\1</p>" TEXT "${TEXT}")
string(REGEX MATCHALL "\n### [A-Za-z]+" HEADINGS "${TEXT}")
foreach(HEADING ${HEADINGS})
  string(REGEX REPLACE "\n### " "" NAME "${HEADING}")
  string(TOLOWER "${NAME}" ANCHOR)
  string(REPLACE "\n### ${NAME}\n" "\n<h2 id=\"${ANCHOR}\">${NAME}</h2>\n" TEXT "${TEXT}")
endforeach()
string(REPLACE "## Runbook\n" "" RUNBOOK "${TEXT}")
string(LENGTH "${RUNBOOK}" LENGTH)
if(LENGTH GREATER 60000)  # C++ promises string literals of 65,536 characters
  message(FATAL_ERROR "${RUNBOOK_SOURCE} is too long to be compiled in; divide it")
endif()
file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/runbook.cc @ONLY CONTENT "#include \"agent/web/page.h\"

namespace agent::web {

std::string_view runbook() {
  return R\"page(@RUNBOOK@)page\";
}

}  // namespace agent::web
")
target_sources(agent_web PRIVATE ${CMAKE_BINARY_DIR}/runbook.cc)
