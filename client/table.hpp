// Tables for people: columns as wide as their widest cell.

#pragma once

#include <string>
#include <vector>

namespace covey::client {

class table {
public:
  /// Columns whose index is in `right` are aligned to the right.
  explicit table(std::vector<std::string> head, std::vector<size_t> right = {});

  /// Short rows are filled up with empty cells.
  void add(std::vector<std::string> row);
  std::string str() const;

private:
  std::vector<std::vector<std::string>> rows_;
  std::vector<bool> right_;
};

/// "950 us", "1.2 ms", "3.4 s".
std::string show_microseconds(uint64_t us);
/// "12 s", "5 min", "3 h 20 min", "4 d 2 h".
std::string show_seconds(uint64_t seconds);

} // namespace covey::client
