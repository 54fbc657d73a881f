#include "client/table.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdio>

namespace covey::client {

table::table(std::vector<std::string> head, std::vector<size_t> right) {
  right_.resize(head.size());
  for (auto column : right)
    right_[column] = true;
  rows_.push_back(std::move(head));
}

void table::add(std::vector<std::string> row) {
  row.resize(right_.size());
  rows_.push_back(std::move(row));
}

std::string table::str() const {
  std::vector<size_t> widths(right_.size());
  for (auto& row : rows_)
    for (size_t i = 0; i < row.size(); ++i)
      widths[i] = std::max(widths[i], row[i].size());
  std::string result;
  for (auto& row : rows_) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) {
      std::string fill(widths[i] - row[i].size(), ' ');
      line += i == 0 ? "" : "  ";
      line += right_[i] ? fill + row[i] : row[i] + fill;
    }
    line.erase(line.find_last_not_of(' ') + 1);
    result += line + '\n';
  }
  return result;
}

std::string show_microseconds(uint64_t us) {
  if (us < 1000)
    return std::to_string(us) + " us";
  char text[32];
  auto ms = static_cast<double>(us) / 1000;
  if (ms < 1000)
    std::snprintf(text, sizeof(text), "%.1f ms", ms);
  else
    std::snprintf(text, sizeof(text), "%.1f s", ms / 1000);
  return text;
}

std::string show_seconds(uint64_t seconds) {
  auto two = [](uint64_t x, const char* major, uint64_t y, const char* minor) {
    auto result = std::to_string(x) + major;
    return y == 0 ? result : result + ' ' + std::to_string(y) + minor;
  };
  if (seconds < 60)
    return std::to_string(seconds) + " s";
  if (seconds < 3600)
    return std::to_string(seconds / 60) + " min";
  if (seconds < 86'400)
    return two(seconds / 3600, " h", seconds % 3600 / 60, " min");
  return two(seconds / 86'400, " d", seconds % 86'400 / 3600, " h");
}

} // namespace covey::client
