# Completion of fogctl for fish: to be put into ~/.config/fish/completions or
# PREFIX/share/fish/vendor_completions.d.

function __fogctl_no_subcommand
    not __fish_seen_subcommand_from fog cloud nodes explain plan worker client queue tasks simulate redis-check find-port help
end

function __fogctl_in
    set -l words (commandline -opc)
    test (count $words) -gt 1; and contains -- $words[2] $argv
end

complete -c fogctl -f
complete -c fogctl -n __fogctl_no_subcommand -l version -d 'print the version and exit'
complete -c fogctl -s h -l help -d 'print help and exit'

complete -c fogctl -n __fogctl_no_subcommand -a fog -d 'run a fog node'
complete -c fogctl -n __fogctl_no_subcommand -a cloud -d 'run the node at the top, with no cloud above it'
complete -c fogctl -n __fogctl_no_subcommand -a nodes -d 'show the neighbours that a node knows'
complete -c fogctl -n __fogctl_no_subcommand -a explain -d 'tell why a task went where it went'
complete -c fogctl -n __fogctl_no_subcommand -a plan -d 'tell where a task would go now'
complete -c fogctl -n __fogctl_no_subcommand -a worker -d 'run tasks from a Redis queue'
complete -c fogctl -n __fogctl_no_subcommand -a client -d 'send tasks and report how they fared'
complete -c fogctl -n __fogctl_no_subcommand -a queue -d 'show what lies in a queue, pause and resume it'
complete -c fogctl -n __fogctl_no_subcommand -a tasks -d 'look at tasks one by one, give them up, try them again'
complete -c fogctl -n __fogctl_no_subcommand -a redis-check -d 'tell whether a Redis can carry a fog'
complete -c fogctl -n __fogctl_no_subcommand -a simulate -d 'compare placement policies on simulated fogs'
complete -c fogctl -n __fogctl_no_subcommand -a find-port -d 'print idle TCP ports'
complete -c fogctl -n __fogctl_no_subcommand -a help -d 'explain a subcommand'
complete -c fogctl -n '__fogctl_in help' -a 'fog cloud nodes explain plan worker client queue tasks simulate redis-check find-port'

# The Redis.
set -l redis '__fogctl_in redis-check fog cloud worker queue tasks'
complete -c fogctl -n $redis -l host -x -a '(__fish_print_hostnames)' -d 'host of the Redis'
complete -c fogctl -n $redis -l port -x -d 'port of the Redis'
complete -c fogctl -n $redis -l redis -r -F -d 'the Redis, a node of its cluster, or its sentinels'
complete -c fogctl -n $redis -l redis-user -x -d 'user at the Redis'
complete -c fogctl -n $redis -l redis-password-file -r -F -d 'file with the password'

# Who serves a queue.
set -l queue '__fogctl_in fog cloud worker'
complete -c fogctl -n '__fogctl_in fog cloud worker queue tasks' -l queue -x -d 'name of the queue'
complete -c fogctl -n $queue -l max-attempts -x -d 'runs of a task that may begin and fail'
complete -c fogctl -n $queue -l retry-delay -x -d 'pause before a failed task is tried again'
complete -c fogctl -n $queue -l lease -x -d 'how long a silent process keeps its tasks'
complete -c fogctl -n $queue -l watchdog -x -d 'how long work may stand still'
complete -c fogctl -n $queue -l drain-timeout -x -d 'how long running tasks may take to end'
complete -c fogctl -n $queue -l name -x -d 'the name of this node, for people'
complete -c fogctl -n $queue -l tasks -r -F -d 'task file, or folder of them'
complete -c fogctl -n $queue -l result-ttl -x -d 'how long the result of a task with a task_uid is kept'
complete -c fogctl -n $queue -l max-dead -x -d 'most tasks that failed for good to keep'
complete -c fogctl -n $queue -l max-dead-bytes -x -d 'most bytes of tasks that failed for good to keep'
complete -c fogctl -n $queue -l log-level -x -a 'debug info warning error off' -d 'least severe log lines to print'

# Who takes tasks.
set -l node '__fogctl_in fog cloud'
complete -c fogctl -n $node -l queue-backend -x -a 'redis memory file' -d 'where accepted tasks wait'
complete -c fogctl -n $node -l queue-file -r -F -d 'file of the file queue'
complete -c fogctl -n $node -l queue-sync -x -a 'normal full' -d 'what in the file outlives a power cut'
complete -c fogctl -n $node -l listen -x -d 'address to listen on'
complete -c fogctl -n $node -l workers -x -d 'worker threads in this process'
complete -c fogctl -n $node -l policy -x -a 'original original-edf deadline in-time' -d 'how tasks are placed'
complete -c fogctl -n $node -l max-message -x -d 'longest message'
complete -c fogctl -n $node -l max-queued -x -d 'most tasks in the queue'
complete -c fogctl -n $node -l max-queued-bytes -x -d 'most bytes of tasks in the queue'
complete -c fogctl -n $node -l record -r -F -d 'file to append what happens to tasks to'
complete -c fogctl -n $node -l patience -x -d 'how long a task waits for an absent queue'

# Who looks for others.
set -l discovery '__fogctl_in fog nodes explain plan client tasks'
complete -c fogctl -n $discovery -l multicast -x -d 'where nodes and clients find one another'
complete -c fogctl -n $discovery -l multicast-ttl -x -d 'how many networks a multicast may cross'
complete -c fogctl -n $discovery -l interface -x -a '(__fish_print_interfaces)' -d 'network interface for multicast'
complete -c fogctl -n $discovery -l no-discovery -d 'neither multicast nor listen to it'

# Who is in the mesh.
set -l mesh '__fogctl_in fog'
complete -c fogctl -n $mesh -l cloud -x -d 'the cloud above this node'
complete -c fogctl -n $mesh -l peer -x -d 'a neighbour, tried for ever'
complete -c fogctl -n $mesh -l no-fog -d 'hand no task to neighbours'
complete -c fogctl -n $mesh -l no-cloud -d 'upload no task'
complete -c fogctl -n $mesh -l sharing-interval -x -d 'how often neighbours are told how busy this node is'
complete -c fogctl -n $mesh -l max-neighbours -x -d 'most neighbours to keep links to'
complete -c fogctl -n $mesh -l overdue-factor -x -d 'how many times the expected time an answer may take'
complete -c fogctl -n $mesh -l shadow-policy -x -a 'original original-edf deadline in-time' -d 'decides beside the policy, and acts on nothing'
complete -c fogctl -n $mesh -l overdue-min -x -d 'how long an answer may take at least'

complete -c fogctl -n '__fogctl_in nodes explain plan' -l connect -x -d 'the node to ask'
complete -c fogctl -n '__fogctl_in nodes explain plan' -l json -d 'print one JSON object'

complete -c fogctl -n '__fogctl_in plan' -l task -x -a 'light medium heavy add echo sleep sum mean fail' -d 'name of the task'
complete -c fogctl -n '__fogctl_in plan' -l content -x -d 'its content'
complete -c fogctl -n '__fogctl_in plan' -l class -x -a 'light medium heavy' -d 'its class'
complete -c fogctl -n '__fogctl_in plan' -l requirement -x -d 'the longest waiting time that it accepts'
complete -c fogctl -n '__fogctl_in plan' -l to-cloud -d 'it asks for the cloud'

complete -c fogctl -n '__fogctl_in worker' -l queue-backend -x -a redis -d 'where the tasks wait'
complete -c fogctl -n '__fogctl_in worker' -l concurrency -x -d 'worker threads'
complete -c fogctl -n '__fogctl_in worker' -l max-message -x -d 'longest message of the nodes'
complete -c fogctl -n '__fogctl_in worker' -l policy -x -a 'original original-edf deadline in-time' -d 'the policy of the nodes that put tasks there'

complete -c fogctl -n '__fogctl_in queue tasks' -l connect -x -d 'the node to ask'
complete -c fogctl -n '__fogctl_in queue tasks' -l json -d 'print JSON'
complete -c fogctl -n '__fogctl_in queue' -a 'pause resume'
complete -c fogctl -n '__fogctl_in tasks' -l state -x -a 'queued delayed leased away dead' -d 'list tasks of this state alone'
complete -c fogctl -n '__fogctl_in tasks' -l most -x -d 'how many to list of each state'
complete -c fogctl -n '__fogctl_in tasks' -a 'ls show cancel retry rm kinds'

set -l simulate '__fogctl_in simulate'
complete -c fogctl -n $simulate -F
complete -c fogctl -n $simulate -l policy -x -a 'original original-edf deadline in-time' -d 'policies to compare'
complete -c fogctl -n $simulate -l load -x -d 'offered work / capacity of the fog'
complete -c fogctl -n $simulate -l trace -r -F -d 'recorded tasks to simulate'
complete -c fogctl -n $simulate -l nodes -x -d 'nodes of a trace'
complete -c fogctl -n $simulate -l workers -x -d 'workers of each'
complete -c fogctl -n $simulate -l link-delay -x -d 'delay of each link, one way'
complete -c fogctl -n $simulate -l cloud-delay -x -d 'delay of the cloud, a round trip'
complete -c fogctl -n $simulate -l seeds -x -d 'how often each is simulated'
complete -c fogctl -n $simulate -l seed -x -d 'the first seed'
complete -c fogctl -n $simulate -l sharing-interval -x -d 'how often nodes share their state'
complete -c fogctl -n $simulate -l measure -x -d 'how long is measured'
complete -c fogctl -n $simulate -l jobs -x -d 'simulations at the same time'
complete -c fogctl -n $simulate -l plot -r -F -d 'draw in-time rate over load into this SVG file'
complete -c fogctl -n $simulate -l json -d 'print the figures as one JSON object'

complete -c fogctl -n '__fogctl_in redis-check' -l json -d 'print one JSON object'

set -l find_port '__fogctl_in find-port'
complete -c fogctl -n $find_port -l from -x -d 'lowest port to try'
complete -c fogctl -n $find_port -l to -x -d 'highest port to try'
complete -c fogctl -n $find_port -l count -x -d 'how many ports to find'
complete -c fogctl -n $find_port -l host -x -a '(__fish_print_hostnames)' -d 'address on which they shall be idle'

set -l client '__fogctl_in client'
complete -c fogctl -n $client -l connect -x -d 'a node to send tasks to, the first preferred'
complete -c fogctl -n $client -l task -x -a 'light medium heavy add echo sleep sum mean fail' -d 'name of the task'
complete -c fogctl -n $client -l content -x -d 'input of the task: JSON'
complete -c fogctl -n $client -l content-file -r -F -d 'file with the input; - reads standard input'
complete -c fogctl -n $client -l base64 -d 'send the file as base64, whatever it holds'
complete -c fogctl -n $client -l content-csv -r -F -d 'CSV file, a task for each row'
complete -c fogctl -n $client -l class -x -a 'light medium heavy' -d 'weight class'
complete -c fogctl -n $client -l requirement -x -d 'longest waiting time in seconds'
complete -c fogctl -n $client -l uid -x -d 'task_uid of a single task'
complete -c fogctl -n $client -l to-cloud -d 'ask for the tasks to run in the cloud'
complete -c fogctl -n $client -l repeat -x -d 'send the task so often, the next on each result'
complete -c fogctl -n $client -l load -x -d 'send at fixed rates'
complete -c fogctl -n $client -l duration -x -d 'how long a load sends'
complete -c fogctl -n $client -l timeout -x -d 'a task without an answer for so long counts as lost'
complete -c fogctl -n $client -l hedge -x -d 'send to another node too when the first is silent'
complete -c fogctl -n $client -l no-retry -d 'neither connect again nor send a task again'
complete -c fogctl -n $client -l min-in-time -x -d 'exit 5 where less than this share was in time'
complete -c fogctl -n $client -l output -r -F -d 'file for the result of a single task'
complete -c fogctl -n $client -l json -d 'print the figures as one JSON object'
