# The page: the files of agent/web/page compiled into agent_web (page.h).

file(GLOB PAGE_FILES CONFIGURE_DEPENDS LIST_DIRECTORIES false
  ${CMAKE_SOURCE_DIR}/agent/web/page/*.html ${CMAKE_SOURCE_DIR}/agent/web/page/*.css
  ${CMAKE_SOURCE_DIR}/agent/web/page/*.js ${CMAKE_SOURCE_DIR}/agent/web/page/*.svg)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${PAGE_FILES})
set(PAGE_ROWS "")
foreach(FILE ${PAGE_FILES})
  get_filename_component(NAME ${FILE} NAME)
  file(READ ${FILE} TEXT)
  string(LENGTH "${TEXT}" LENGTH)
  if(LENGTH GREATER 60000)  # C++ promises string literals of 65,536 characters
    message(FATAL_ERROR "${FILE} is too long to be compiled in; divide it")
  endif()
  string(APPEND PAGE_ROWS "    {\"${NAME}\", R\"page(${TEXT})page\"},\n")
endforeach()
file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/page_files.cc @ONLY CONTENT "#include \"agent/web/page.h\"

namespace agent::web {
namespace {

constexpr PageFile kFiles[] = {
@PAGE_ROWS@};

}  // namespace

std::span<const PageFile> page_files() { return kFiles; }

}  // namespace agent::web
")
target_sources(agent_web PRIVATE ${CMAKE_BINARY_DIR}/page_files.cc)
