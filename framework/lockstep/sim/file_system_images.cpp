// What is on a disk at one time: taken from it, left by a power cut, and put on it.
#include <lockstep/sim/file_system.hpp>

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace lockstep::sim {

disk_image file_system::image() const {
  disk_image made(pages_);
  std::vector<const inode*> left{root_};
  while (!left.empty()) {
    const inode& from = *left.back();
    left.pop_back();
    image_file& to = made.file(from.number());
    if (to.attributes.mode != 0) continue;
    to.attributes = from.attributes;
    to.content = from.content;
    to.target = from.target;
    for (std::size_t place = 0; place < from.entries.places(); ++place) {
      const directory_entries::entry& each = from.entries.at(place);
      if (each.to == nullptr) continue;
      to.names[each.name] = each.to->number();
      left.push_back(each.to);
    }
  }
  made.set_bad(bad_);
  return made;
}

template <class F>
disk_image file_system::image_by(const crash_model& model, const F& choose, std::vector<std::string>* lost) const {
  if (model.keeps == crash_model::unsynced::all) return image();
  return log_.image(model, choose, lost);
}

disk_image file_system::image_after_power_cut(const crash_model& model, const crash_chooser& choose,
                                              std::vector<std::string>* lost) const {
  return image_by(model, choose, lost);
}

disk_image file_system::image_after_power_cut(const crash_model& model, const change_chooser& choose,
                                              std::vector<std::string>* lost) const {
  return image_by(model, choose, lost);
}

std::uint64_t file_system::outcome_of_power_cut(const crash_model& model, const crash_chooser& choose) const {
  constexpr std::uint64_t in_memory = ~std::uint64_t{0};
  return model.keeps == crash_model::unsynced::all ? in_memory : log_.outcome(model, choose);
}

// Every name goes. What somebody still uses is as if it had been removed, and the directories above as well; all else
// ends.
void file_system::take_out_all() noexcept {
  is_closing_ = true;
  for (inode& each : inodes_) each.retain();
  for (inode& each : inodes_) {
    for (std::size_t place = 0; place < each.entries.places(); ++place) {
      inode* const to = each.entries.at(place).to;
      if (to == nullptr) continue;
      to->links = 0;
      if (to->is_directory()) {
        each.retain();
      } else {
        to->parent = nullptr;
        to->other_parents.reset();
      }
      to->release();
    }
    each.entries.clear();
  }
  root_->links = 0;
  root_->release();
  intrusive_list<inode, file_system> all;
  all.splice_back(inodes_);
  while (!all.empty()) {
    inode& each = all.pop_front();
    inodes_.push_back(each);
    each.release();
  }
  is_closing_ = false;
}

void file_system::restore(const disk_image& image) {
  inode* const above = std::exchange(root_->mounted_on, nullptr);
  take_out_all();
  bad_ = image.bad();
  errors_ = {};
  cache_.clean_all();
  ++life_;
  intrusive_list<inode, file_system> in_use;
  in_use.splice_back(inodes_);
  std::map<std::uint64_t, inode*> made;
  for (const auto& [number, file] : image.files()) {
    users_.try_emplace(file.attributes.user);
    inode& each = add(number, file.attributes);
    each.content = file.content;
    each.target = file.target;
    take_pages(each, static_cast<std::int64_t>(each.content.pages()));
    made.emplace(number, &each);
  }
  while (!in_use.empty()) {  // new files to what is known by number
    inode& each = in_use.pop_front();
    each.set_number(++last_number_);
    each.life = life_;
    inodes_.push_back(each);
  }
  root_ = made.at(disk_image::root);
  root_->retain();
  root_->parent = root_;
  root_->mounted_on = above;
  root_->links = 2;
  for (const auto& [number, file] : image.files()) {
    for (const auto& [name, to] : file.names) {
      inode& directory = *made.at(number);
      inode& file_there = *made.at(to);
      file_there.expect_name();
      directory.entries.add(name, file_there);
      gained_name(directory, file_there);
    }
  }
  for (const auto& [number, file] : image.files()) made.at(number)->attributes = file.attributes;
  if (above != nullptr) above->mounted = root_;
  log_.begin_with(image);
}

}  // namespace lockstep::sim
