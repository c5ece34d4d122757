#include <lockstep/base/value_text.hpp>

#include <sstream>

namespace lockstep::detail {

std::string text_by_stream(void (*print)(std::ostream&, const void*), const void* value) {
  std::ostringstream out;
  print(out, value);
  return out.str();
}

std::string cut_to_value(std::string text) {
  if (text.size() <= value_bytes_max) return text;
  std::size_t end = value_bytes_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;  // within a character of UTF-8
  text.resize(end);
  return text + "…";
}

}  // namespace lockstep::detail
