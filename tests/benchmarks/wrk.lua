-- Sends the prepared bodies of a file in turn, or GET, counts answers that are no good, and prints its figures as JSON.
local threads = {}

function setup(thread)
  thread:set("wrong", 0)
  table.insert(threads, thread)
end

function init(arguments)
  requests, place = {}, 0
  local headers = { ["Content-Type"] = "application/json", ["Accept"] = "application/graphql-response+json, application/json" }
  if arguments[2] then headers["Authorization"] = "Bearer " .. arguments[2] end
  if arguments[1] == "GET" then
    table.insert(requests, wrk.format("GET", nil, headers))
    return
  end
  for body in io.lines(arguments[1]) do
    table.insert(requests, wrk.format("POST", nil, headers, body))
  end
end

function request()
  place = place % #requests + 1
  return requests[place]
end

function response(status, _, body)
  if status ~= 200 or string.find(body, '"errors":', 1, true) then wrong = wrong + 1 end
end

function done(summary, latency)
  local wrong_answers = 0
  for _, thread in ipairs(threads) do wrong_answers = wrong_answers + thread:get("wrong") end
  local failed = summary.errors
  io.write(string.format(
    'figures {"requests": %d, "microseconds": %d, "p50_us": %.0f, "p99_us": %.0f, "wrong": %d, "failed": %d}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), wrong_answers,
    failed.connect + failed.read + failed.write + failed.timeout))
end
