eval
(x)
exec
(