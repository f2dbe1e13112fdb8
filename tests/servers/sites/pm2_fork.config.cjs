// PM2's default mode, with more than one process.
module.exports = {
  apps: [{ script: require.resolve("./pm2_instance.mjs"), instances: 2, exec_mode: "fork" }],
};
