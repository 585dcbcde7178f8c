-- Posts the file named by the first argument, or gets; prints one line of JSON when it is done (times in microseconds).

function init(args)
   if not args[1] then
      return
   end
   local file = assert(io.open(args[1], "rb"))
   wrk.method = "POST"
   wrk.body = file:read("*a")
   wrk.headers["Content-Type"] = "application/json"
   file:close()
end

function done(summary, latency, requests)
   local errors = summary.errors
   local failed = errors.status + errors.connect + errors.read + errors.write + errors.timeout
   io.write(string.format(
      '\n{"requests": %d, "duration": %d, "failed": %d, "p50": %f, "p99": %f}\n',
      summary.requests, summary.duration, failed, latency:percentile(50), latency:percentile(99)))
end
