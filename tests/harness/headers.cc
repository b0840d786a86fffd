// Nothing but the precompiled header of the tests: see tests/CMakeLists.txt.
