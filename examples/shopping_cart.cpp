// Two clients fill one cart at the same time, and nothing is lost.
//
//   shopping_cart HOST:PORT[,HOST:PORT...]
//
// Each adds items without waiting for the other. Writes that do not know of
// each other become siblings; whoever reads them merges them, and the context
// of that read says what the merged cart replaces.

#include "client/client.hpp"
#include "messages/errors.hpp"

#include <cstdlib>
#include <iostream>
#include <set>
#include <sstream>
#include <thread>

namespace {

using items = std::set<std::string>;

constexpr int items_each = 20;

items parse_cart(const std::string& text) {
  items result;
  std::istringstream in{text};
  for (std::string item; std::getline(in, item);)
    result.insert(item);
  return result;
}

std::string to_text(const items& cart) {
  std::string result;
  for (const auto& item : cart)
    result += item + '\n';
  return result;
}

// What the carts hold together: right for a cart that items are only added to.
std::string merge(std::vector<std::string>&& carts) {
  items all;
  for (const auto& cart : carts)
    all.merge(parse_cart(cart));
  return to_text(all);
}

bool add_items(const covey::client::settings& where, const std::string& cart,
               const std::string& buyer) {
  covey::client::client kv{where};
  covey::client::request_options options;
  for (int i = 0; i < items_each; ++i) {
    auto item = buyer + "'s item " + std::to_string(i);
    auto added = kv.update(
      cart,
      [&](std::vector<std::string>&& carts) {
        auto all = parse_cart(merge(std::move(carts)));
        all.insert(item);
        return to_text(all);
      },
      options);
    if (!added.ok()) {
      std::cerr << "shopping_cart: " << item << ": "
                << covey::to_string(added.code) << ": " << added.text << '\n';
      return false;
    }
  }
  return true;
}

std::optional<covey::client::settings> parse_nodes(std::string text) {
  covey::client::settings result;
  std::istringstream in{std::move(text)};
  for (std::string part; std::getline(in, part, ',');) {
    auto node = covey::client::parse_node_address(part);
    if (!node)
      return std::nullopt;
    result.nodes.push_back(*node);
  }
  return result;
}

} // namespace

int main(int argc, char** argv) {
  auto where = argc == 2 ? parse_nodes(argv[1]) : std::nullopt;
  if (!where || where->nodes.empty()) {
    std::cerr << "usage: shopping_cart HOST:PORT[,HOST:PORT...]\n";
    return 2;
  }
  covey::client::client kv{*where};
  covey::client::request_options options;
  auto cart = "cart " + std::to_string(kv.new_request_id().high);

  auto alice_done = false;
  auto bob_done = false;
  std::thread alice{[&] {
    alice_done = add_items(*where, cart, "Alice");
  }};
  std::thread bob{[&] {
    bob_done = add_items(*where, cart, "Bob");
  }};
  alice.join();
  bob.join();
  if (!alice_done || !bob_done)
    return 1;

  auto found = kv.get(cart, options);
  if (!found.ok()) {
    std::cerr << "shopping_cart: " << found.text << '\n';
    return 1;
  }
  std::cout << "The cart has " << found.values.size() << " sibling(s)\n";
  auto all = merge(std::move(found.values));
  std::cout << all;
  options.context = found.context;
  if (auto stored = kv.put(cart, all, options); !stored.ok()) {
    std::cerr << "shopping_cart: " << stored.text << '\n';
    return 1;
  }
  auto n = parse_cart(all).size();
  std::cout << "Items: " << n << " of " << 2 * items_each << '\n';
  return n == 2 * items_each ? 0 : 1;
}
