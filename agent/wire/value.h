// Value: what a field holds, either as the parser has it or read already. Asked as simdjson's
// elements are: `get` gives the value when it is of that type, else says why not. A view, like
// those. Pure.
#pragma once

#include <simdjson.h>

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>
#include <variant>

namespace agent::wire {

class Value {
 public:
  Value() = default;
  // NOLINTNEXTLINE(google-explicit-constructor): what it was made from is what it is.
  Value(simdjson::dom::element element) : held_(element) {}
  explicit Value(std::string_view text) : held_(text) {}
  explicit Value(std::int64_t integer) : held_(integer) {}
  explicit Value(double real) : held_(real) {}
  explicit Value(bool flag) : held_(flag) {}
  explicit Value(std::nullptr_t /*null*/) : held_(std::monostate()) {}

  [[nodiscard]] bool is_null() const {
    const auto* element = std::get_if<simdjson::dom::element>(&held_);
    return element != nullptr ? element->is_null() : std::holds_alternative<std::monostate>(held_);
  }

  template <typename T>
  [[nodiscard]] simdjson::error_code get(T& into) const {
    if (const auto* element = std::get_if<simdjson::dom::element>(&held_))
      return element->get(into);
    if constexpr (kMayBeRead<T>) {
      if (const auto* value = std::get_if<T>(&held_)) {
        into = *value;
        return simdjson::SUCCESS;
      }
    }
    if constexpr (std::is_same_v<T, double>) {
      if (const auto* integer = std::get_if<std::int64_t>(&held_)) {
        into = static_cast<double>(*integer);
        return simdjson::SUCCESS;
      }
    }
    return simdjson::INCORRECT_TYPE;
  }

  // A text that read_plain read: printable ASCII.
  [[nodiscard]] bool is_plain_text() const {
    return std::holds_alternative<std::string_view>(held_);
  }

  [[nodiscard]] simdjson::dom::element_type type() const {
    using simdjson::dom::element_type;
    struct TypeOf {
      element_type operator()(simdjson::dom::element e) const { return e.type(); }
      element_type operator()(std::string_view) const { return element_type::STRING; }
      element_type operator()(std::int64_t) const { return element_type::INT64; }
      element_type operator()(double) const { return element_type::DOUBLE; }
      element_type operator()(bool) const { return element_type::BOOL; }
      element_type operator()(std::monostate) const { return element_type::NULL_VALUE; }
    };
    return std::visit(TypeOf{}, held_);
  }

 private:
  template <typename T>
  static constexpr bool kMayBeRead =
      std::is_same_v<T, std::string_view> || std::is_same_v<T, std::int64_t> ||
      std::is_same_v<T, double> || std::is_same_v<T, bool>;

  std::variant<std::monostate, simdjson::dom::element, std::string_view, std::int64_t, double, bool>
      held_;
};

}  // namespace agent::wire
