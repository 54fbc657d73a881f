#include "storage/wiredtiger_config.hpp"

#include <wiredtiger.h>

#include <dlfcn.h>
#include <filesystem>

namespace covey::storage {

namespace {

/// The compressors are installed beside the library itself.
std::string extension_path(compression x) {
  Dl_info info{};
  std::filesystem::path folder{"/usr/lib"};
  if (dladdr(reinterpret_cast<const void*>(&wiredtiger_open), &info) != 0
      && info.dli_fname != nullptr)
    folder = std::filesystem::path{info.dli_fname}.parent_path();
  return (folder / (std::string{"libwiredtiger_"} + to_string(x) + ".so"))
    .string();
}

} // namespace

const char* to_string(table_type x) {
  return x == table_type::lsm ? "lsm" : "btree";
}

const char* to_string(compression x) {
  switch (x) {
    case compression::none:
      return "none";
    case compression::snappy:
      return "snappy";
    case compression::zlib:
      return "zlib";
  }
  return "invalid";
}

std::string table_name(table_id table) {
  return table == system_table ? "system" : "data." + std::to_string(table);
}

std::string table_uri(table_id table) {
  return "table:" + table_name(table);
}

std::string connection_config(const wiredtiger_options& options) {
  // recover=on and log=(enabled=true) are the defaults we cannot live without:
  // one open without the log loses what was not checkpointed, for good.
  auto result
    = "create,session_max=256,cache_size=" + std::to_string(options.cache_mb)
      + "MB,eviction=(threads_min=1,threads_max=2)"
        // A page is reconciled once for many writes to it: docs/adr/0012.
        ",eviction_dirty_target=60,eviction_dirty_trigger=80"
        // fsync then has no metadata of the log file to write.
        ",log=(enabled=true,archive=true,prealloc=true,zero_fill=true"
        ",recover=on,file_max="
      + std::to_string(options.log_file_mb)
      + "MB),transaction_sync=(enabled=false,method=fsync)"
        ",checkpoint=(wait="
      + std::to_string(options.checkpoint_interval_s)
      + ",log_size=" + std::to_string(options.checkpoint_log_mb)
      + "MB),statistics=(fast),file_manager=(close_idle_time=600)";
  if (options.compressor != compression::none)
    result += ",extensions=[\"" + extension_path(options.compressor) + "\"]";
  return result;
}

std::string table_config(const wiredtiger_options& options, table_id table) {
  auto result
    = "key_format=u,value_format=u,leaf_page_max="
      + std::to_string(options.leaf_page_kb)
      + "KB,internal_page_max=16KB,leaf_key_max=4KB,leaf_value_max=64MB"
        ",memory_page_max=1MB,access_pattern_hint=random,checksum=on";
  if (table == system_table)
    return result + ",type=file";
  if (options.compressor != compression::none)
    result += std::string{",block_compressor="} + to_string(options.compressor);
  if (options.type == table_type::lsm)
    return result + ",type=lsm,lsm=(bloom=true)";
  return result + ",type=file";
}

} // namespace covey::storage
