// The public entry: archive or JSON, then the importer.
#include <tandem/ir/io/torch_export.h>

#include <tandem/ir/io/mapped_file.h>
#include <tandem/ir/io/torch/archive.h>
#include <tandem/ir/io/torch/importer.h>

namespace tandem {

namespace {

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

bool is_torch_export(std::string_view bytes) {
  if (torch::is_zip(bytes))
    return true;
  const std::size_t first = bytes.find_first_not_of(" \t\r\n");
  return first != std::string_view::npos && bytes[first] == '{' && torch::is_program_json(bytes.substr(first));
}

ImportedProgram import_torch_export_bytes(std::shared_ptr<Context> context, std::string_view bytes,
                                          std::string_view file, std::shared_ptr<const void> owner) {
  if (!torch::is_zip(bytes)) {
    const torch::Program program = torch::parse_program(bytes, file);
    return torch::Importer(std::move(context), program, file, {}, false).run();
  }
  const torch::Archive archive(bytes, std::string(file), std::move(owner));
  const torch::ZipContent json = archive.program();
  const torch::Program program = torch::parse_program(text_of(json.bytes), file);
  std::vector<ProgramWeight> weights = archive.weights();
  const bool archived = !weights.empty();
  return torch::Importer(std::move(context), program, file, std::move(weights), archived).run();
}

ImportedProgram import_torch_export(std::shared_ptr<Context> context, const std::string& path) {
  const MappedFile file = map_file(path);
  return import_torch_export_bytes(std::move(context), file.text(), path, file.owner);
}

}  // namespace tandem
