-- Runs on every attempt, behind the choice of the cluster: the body becomes this attempt's own. It only ever changes the
-- body and removes or sets headers of this list: no cluster, no route, no address.
--   request   x-llm-chain, x-envoy-attempt-count (ours), content-length, :authority
--   response  x-cascade-escalate, x-llm-next

-- Reads up to the quote that closes the string which opens at `at`.
local function closing(s, at)
  local from = at + 1
  while true do
    local found = string.find(s, '["\\]', from)
    if not found then return nil end
    if string.byte(s, found) == 34 then return found end
    from = found + 2
  end
end

-- Where the last top-level member `model` has its text, quotes included; nil where there is none.
local function find_model(s)
  local depth, at, first, last = 0, 1, nil, nil
  while true do
    local found = string.find(s, '["{}%[%]]', at)
    if not found then return first, last end
    local byte = string.byte(s, found)
    if byte == 34 then
      local close = closing(s, found)
      if not close then return nil end
      at = close + 1
      if depth == 1 and string.sub(s, found, close) == '"model"' then
        local _, open = string.find(s, '^%s*:%s*"', at)
        if open then
          local finish = closing(s, open)
          if not finish then return nil end
          first, last, at = open, finish, finish + 1
        end
      end
    else
      depth = depth + ((byte == 123 or byte == 91) and 1 or -1)
      at = found + 1
    end
  end
end

local function replace_body(handle, body, bytes)
  local length = body:setBytes(bytes)
  handle:headers():replace("content-length", tostring(length))
end

-- The router has written the body for the first model, and said what makes of it the body for each other one.
local function splice(handle, splices)
  local body = handle:body()
  if body == nil then return end
  local bytes, parts, at = body:getBytes(0, body:length()), {}, 0
  for _, change in ipairs(splices) do
    parts[#parts + 1] = string.sub(bytes, at + 1, change[1])
    parts[#parts + 1] = change[3]
    at = change[2]
  end
  parts[#parts + 1] = string.sub(bytes, at + 1)
  replace_body(handle, body, table.concat(parts))
end

-- Nobody has read this request: a name that this cluster does not serve becomes the one that it does.
local function name_default(handle)
  local body = handle:body()
  if body == nil or body:length() > NAMED_BYTES then return end
  local bytes = body:getBytes(0, body:length())
  local first, last = find_model(bytes)
  if first == nil or SERVED[string.sub(bytes, first + 1, last - 1)] then return end
  replace_body(handle, body, string.sub(bytes, 1, first) .. DEFAULT .. string.sub(bytes, last))
end

-- Headers stay from one attempt to the next: where the one before had a host of its own, the client's comes back.
local function set_host(handle, headers)
  local metadata = handle:streamInfo():dynamicMetadata()
  local kept = metadata:get("extproc_router.host")
  if HOST ~= "" then
    if kept == nil then metadata:set("extproc_router.host", "client", headers:get(":authority") or "") end
    headers:replace(":authority", HOST)
  elseif kept ~= nil then
    headers:replace(":authority", kept["client"])
  end
end

function envoy_on_request(handle)
  local headers = handle:headers()
  local attempt = tonumber(headers:get("x-envoy-attempt-count") or "1") or 1
  local decided, path = headers:get("x-llm-decision"), headers:get(":path")
  local method, encoding = headers:get(":method"), headers:get("content-encoding")
  headers:remove("x-llm-chain")
  headers:remove("x-envoy-attempt-count")
  set_host(handle, headers)
  local told = handle:streamInfo():dynamicMetadata():get("extproc_router.attempts")
  if told ~= nil then
    local attempts = told["attempts"]
    local mine = attempts[math.min(attempt, #attempts)]
    -- So does content-length: each attempt after the first says its own.
    if attempt > 1 and mine ~= nil and mine["cluster"] == CLUSTER then splice(handle, mine["splices"] or {}) end
  elseif decided == nil and method == "POST" and encoding == nil and PATHS[(string.gsub(path, "%?.*$", ""))] then
    name_default(handle)
  end
end

function envoy_on_response(handle)
  local headers = handle:headers()
  headers:remove("x-cascade-escalate")
  headers:remove("x-llm-next")
  if headers:get(":status") ~= "400" then return end
  local told = handle:streamInfo():dynamicMetadata():get("extproc_router.attempts")
  if told == nil or not told["context"] then return end
  local body = handle:body()
  if body == nil then return end
  local said = body:getBytes(0, math.min(body:length(), 4096))
  for _, words in ipairs({"maximum context length", "context_length_exceeded", "prompt is too long"}) do
    if string.find(said, words, 1, true) then
      handle:headers():add("x-llm-next", "1")
      return
    end
  end
end
