# The ETA model: config/eta_model.txt compiled into agent_eta, and the command that makes it.

set(ETA_MODEL ${CMAKE_SOURCE_DIR}/config/eta_model.txt)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${ETA_MODEL})
file(READ ${ETA_MODEL} ETA_MODEL_TEXT)
string(LENGTH "${ETA_MODEL_TEXT}" ETA_MODEL_LENGTH)
set(ETA_MODEL_PIECES "")
foreach(BEGIN RANGE 0 ${ETA_MODEL_LENGTH} 60000)  # C++ promises string literals of 65,536 characters
  string(SUBSTRING "${ETA_MODEL_TEXT}" ${BEGIN} 60000 PIECE)
  string(APPEND ETA_MODEL_PIECES "  text += R\"table(${PIECE})table\";\n")
endforeach()
file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/eta_model.cc @ONLY CONTENT "#include <string>

#include \"agent/eta/model.h\"

namespace agent::eta {

std::string shipped_model_text() {
  std::string text;
@ETA_MODEL_PIECES@  return text;
}

}  // namespace agent::eta
")
target_sources(agent_eta PRIVATE ${CMAKE_BINARY_DIR}/eta_model.cc)

add_library(eta_training STATIC EXCLUDE_FROM_ALL
  config/eta-train/boosting.cc config/eta-train/replay.cc config/eta-train/training.cc)
target_link_libraries(eta_training PUBLIC agent_wire agent_tracker)
add_executable(eta-train EXCLUDE_FROM_ALL config/eta-train/main.cc)
target_link_libraries(eta-train PRIVATE eta_training)
