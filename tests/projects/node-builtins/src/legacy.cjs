const { join } = require("path");
exports.join = (...parts) => join(...parts);
