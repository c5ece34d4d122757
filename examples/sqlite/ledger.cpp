#include "ledger.hpp"

#include <fmt/format.h>
#include <sqlite3.h>

#include <memory>
#include <string>

namespace bookkeeping {

namespace {

struct finalizer {
  void operator()(sqlite3_stmt* gone) const noexcept { sqlite3_finalize(gone); }
};
using statement = std::unique_ptr<sqlite3_stmt, finalizer>;

statement prepare(sqlite3* file, const char* sql) {
  sqlite3_stmt* made = nullptr;
  if (sqlite3_prepare_v2(file, sql, -1, &made, nullptr) != SQLITE_OK) throw ledger_error(sqlite3_errmsg(file));
  return statement(made);
}

bool step(sqlite3* file, const statement& of) {
  const int result = sqlite3_step(of.get());
  if (result != SQLITE_ROW && result != SQLITE_DONE) throw ledger_error(sqlite3_errmsg(file));
  return result == SQLITE_ROW;
}

// Of 100 to 1,500 bytes, so that some have pages of their own.
std::string note_of(int number) {
  constexpr int kinds = 4;
  const auto size = static_cast<std::size_t>(100 + 450 * (number % kinds));
  return std::string(size, static_cast<char>('a' + number % 26));
}

}  // namespace

ledger::ledger(const ledger_options& how) {
  if (sqlite3_open(how.file.c_str(), &file_) != SQLITE_OK) {
    const std::string why = sqlite3_errmsg(file_);
    sqlite3_close(file_);
    throw ledger_error(why);
  }
  try {
    run(fmt::format("PRAGMA page_size={}; PRAGMA journal_mode={}; PRAGMA synchronous={}; PRAGMA wal_autocheckpoint={};"
                    "CREATE TABLE IF NOT EXISTS entry(number INTEGER PRIMARY KEY, note TEXT);"
                    "CREATE TABLE IF NOT EXISTS account(balance INTEGER);",
                    how.page_bytes, how.journal, how.synchronous, how.checkpoint_pages)
            .c_str());
  } catch (...) {
    sqlite3_close(file_);
    throw;
  }
}

ledger::~ledger() { sqlite3_close(file_); }

void ledger::run(const char* sql) {
  if (sqlite3_exec(file_, sql, nullptr, nullptr, nullptr) != SQLITE_OK) throw ledger_error(sqlite3_errmsg(file_));
}

// [enter]
void ledger::enter(int number) {
  try {
    run("BEGIN IMMEDIATE");
    run("INSERT INTO account SELECT 0 WHERE NOT EXISTS (SELECT * FROM account)");
    run(fmt::format("INSERT INTO entry VALUES({}, '{}')", number, note_of(number)).c_str());
    run(fmt::format("UPDATE account SET balance = balance + {}", number).c_str());
    run("COMMIT");
  } catch (const ledger_error&) {
    if (sqlite3_get_autocommit(file_) == 0) sqlite3_exec(file_, "ROLLBACK", nullptr, nullptr, nullptr);
    throw;
  }
}
// [/enter]

std::set<int> ledger::entries() {
  std::set<int> found;
  const statement all = prepare(file_, "SELECT number FROM entry");
  while (step(file_, all)) found.insert(sqlite3_column_int(all.get(), 0));
  return found;
}

std::string ledger::text_of(const char* sql) {
  const statement asked = prepare(file_, sql);
  if (!step(file_, asked)) return "nothing";
  const unsigned char* const text = sqlite3_column_text(asked.get(), 0);
  return text == nullptr ? "null" : reinterpret_cast<const char*>(text);
}

std::string ledger::audit() {
  std::string file = text_of("PRAGMA integrity_check");
  if (file != "ok") return file;
  const std::string sum = text_of("SELECT ifnull(sum(number), 0) FROM entry");
  const std::string balance = text_of("SELECT ifnull(sum(balance), 0) FROM account");
  if (sum != balance) return fmt::format("the balance is {}, and the sum of the entries {}", balance, sum);
  const statement all = prepare(file_, "SELECT number, note FROM entry");
  while (step(file_, all)) {
    const int number = sqlite3_column_int(all.get(), 0);
    const unsigned char* const note = sqlite3_column_text(all.get(), 1);
    if (note == nullptr || note_of(number) != reinterpret_cast<const char*>(note)) {
      return fmt::format("entry {} has another's note", number);
    }
  }
  return "ok";
}

}  // namespace bookkeeping
