// The one file that compiles Boost.JSON itself, header-only.
#include <boost/json/src.hpp>
