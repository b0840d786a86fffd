// The main() of a fuzz target in an ordinary build: runs every file of the corpus folders named on
// the command line through the target once. An empty corpus is a fault, so that the test cannot
// pass idly.
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size);

namespace {

std::string read(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

int replay(const std::filesystem::path& folder) {
  int documents = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    const std::string document = read(entry.path());
    LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(document.data()), document.size());
    ++documents;
  }
  std::cout << folder.string() << ": " << documents << " documents\n";
  return documents;
}

}  // namespace

int main(int argc, char** argv) {
  int documents = 0;
  for (int i = 1; i < argc; ++i) documents += replay(argv[i]);
  if (documents == 0) std::cerr << "no corpus: name a folder that holds at least one document\n";
  return documents > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
