// Nothing: CMake compiles the headers of the tests ahead of a source, and this is theirs.
