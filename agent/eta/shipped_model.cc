#include "agent/eta/model.h"

namespace agent::eta {

std::shared_ptr<const Model> shipped_model() {
  auto model = Model::parse(shipped_model_text());
  return model ? *model : nullptr;
}

}  // namespace agent::eta
